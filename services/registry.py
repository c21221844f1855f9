"""Finds the services: every package beside this module that has a `DESCRIPTOR`."""

from importlib import import_module
from pkgutil import iter_modules

import services
from services.descriptor import ServiceDescriptor


def load_services() -> tuple[ServiceDescriptor, ...]:
    """Import every service's package and return their descriptors, in the order of their names."""
    packages = sorted(module.name for module in iter_modules(services.__path__) if module.ispkg)
    return tuple(import_module(f"services.{package}").DESCRIPTOR for package in packages)
