"""What a forked worker must forget: threads, locks and connections of the process that made them."""

import os
import weakref
from collections.abc import Callable
from types import MethodType

_forgetters: weakref.WeakSet["_Forgetter"] = weakref.WeakSet()


class _Forgetter:
    """Holds a method weakly, so that registering an object does not keep it alive."""

    def __init__(self, method: MethodType) -> None:
        self.method = weakref.WeakMethod(method)

    def __call__(self) -> None:
        method = self.method()
        if method is not None:
            method()


def call_in_child(method: Callable[[], None]) -> object:
    """Have a bound method called in every process that is forked from this one.

    Returns a token; the registration lasts while the caller keeps it.
    """
    if not isinstance(method, MethodType):
        raise TypeError("only a bound method can be called in the child")
    forgetter = _Forgetter(method)
    _forgetters.add(forgetter)
    return forgetter


def _forget_all() -> None:
    for forgetter in list(_forgetters):
        forgetter()


os.register_at_fork(after_in_child=_forget_all)
