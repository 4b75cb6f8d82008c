"""Functions of a plugin: given as a callable, or as a path that is imported at the first call."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from .errors import GanassetsError

FORM = '"package.module:function"'
PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")

# Type of a function, or of a function or None.
F = TypeVar("F")


class FunctionPathError(GanassetsError):
    """The path of a function is malformed, or leads to no module or function."""


@dataclass(frozen=True)
class LazyFunction:
    """A function whose module is imported at the first call.

    Attributes:
        path: "package.module:function".
    """

    path: str

    def __call__(self, *arguments: Any) -> Any:
        """Call the function; see load_function for errors."""
        return load_function(self.path)(*arguments)


def load_function(path: str) -> Callable[..., Any]:
    """Import the module that a path names and return its function (or class).

    Args:
        path: "package.module:function".

    Raises:
        FunctionPathError: The path is malformed, or there is no such module or function. What the module itself raises
            on import passes through.

    >>> load_function("math:sqrt")(9.0)
    3.0
    """
    if not PATH.fullmatch(path):
        raise FunctionPathError(f"{path!r} is not of the form {FORM}")
    module_name, _, name = path.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and f"{module_name}.".startswith(f"{error.name}."):
            raise FunctionPathError(f"{path!r}: there is no module {error.name!r}") from error
        raise  # the module exists and lacks one that it imports
    function = getattr(module, name, None)
    if not callable(function):
        raise FunctionPathError(f"{path!r}: module {module_name!r} has no function {name!r}")
    return function


class FunctionField(Generic[F]):
    """Field of a dataclass that takes a callable or its path; reading it always gives something to call.

    Args:
        default: Value of the field where none is given; without it the field is required.
    """

    def __init__(self, *default: F) -> None:
        self._default = default
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> F: ...
    @overload
    def __get__(self, instance: object, owner: type) -> F: ...
    def __get__(self, instance: object, owner: type) -> F:
        if instance is not None:
            return instance.__dict__[self._name]
        if self._default:  # dataclasses ask the class for the default
            return self._default[0]
        raise AttributeError(self._name)

    def __set__(self, instance: object, value: F | str) -> None:
        instance.__dict__[self._name] = LazyFunction(value) if isinstance(value, str) else value
