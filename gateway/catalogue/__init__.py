"""The error catalogue: every code that the gateway can give, its meaning, its likely cause and what to do.

The codes and texts are data (`catalogue.yaml`); `entries` reads them and `rendering` turns them into pages.
The catalogue decides nothing: the services' status tables and the stages say which code a case has.
"""

from gateway.catalogue.entries import (
    LANGUAGES,
    Catalogue,
    CatalogueError,
    Entry,
    Kind,
    Texts,
    load_catalogue,
    read_catalogue,
)
from gateway.catalogue.rendering import render_html, render_markdown

__all__ = [
    "LANGUAGES",
    "Catalogue",
    "CatalogueError",
    "Entry",
    "Kind",
    "Texts",
    "load_catalogue",
    "read_catalogue",
    "render_html",
    "render_markdown",
]
