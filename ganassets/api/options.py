"""Settings of generators and exporters: what the user gave, checked and completed with the defaults."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .errors import InputError
from .registry import nearest

if TYPE_CHECKING:
    from .assets import Option

SWITCHES = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
# Type of an option -> how its text is read, and what it is called in a message.
READERS: dict[type, tuple[Callable[[str], Any], str]] = {
    bool: (lambda text: SWITCHES[text.lower()], "yes or no"),
    int: (int, "a whole number"),
    float: (float, "a number"),
    str: (str, "a text"),
}


def option_values(options: Sequence[Option], given: Mapping[str, str]) -> dict[str, Any]:
    """Values of all options by name.

    Args:
        options: the exporter's.
        given: texts by option name.

    Raises:
        InputError: a name is unknown, or a text is not of the option's type, choices or range.
    """
    known = {option.name: option for option in options}
    for name in given:
        if name not in known:
            raise InputError(f"there is no option {name!r}; {nearest(name, list(known))}")
    return {
        name: read_option(option, given[name]) if name in given else option.default for name, option in known.items()
    }


def read_option(option: Option, text: str) -> Any:
    """Value of an option's text; InputError when it doesn't fit."""
    read, kind = READERS[option.type]
    try:
        value = read(text)
    except (ValueError, KeyError) as error:
        raise InputError(f"{option.name} takes {kind}, not {text!r}.") from error
    check_value(option, value)
    return value


def check_value(option: Option, value: Any) -> None:
    """InputError unless an option may have a value."""
    types = (int, float) if option.type is float else option.type
    if not isinstance(value, types) or (isinstance(value, bool) and option.type is not bool):
        raise InputError(f"{option.name} takes {READERS[option.type][1]}, not {value!r}.")
    if option.choices and value not in option.choices:
        raise InputError(f"{option.name} is one of {', '.join(option.choices)}, not {value!r}.")
    told = f"{value:g}" if isinstance(value, float) else value
    if not in_range(option, value):
        raise InputError(f"{option.name} {told} is outside {option_range(option)}.")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{option.name} takes a number, not {told}.")


def in_range(option: Option, value: Any) -> bool:
    """Whether a value keeps to the option's bounds; NaN never does."""
    low, high = option.low, option.high
    return (low is None or value >= low) and (high is None or value <= high)


def option_range(option: Option) -> str:
    """ "64..4096", with an open end where there is no bound, or "" without any."""
    if option.low is None and option.high is None:
        return ""
    return "..".join("" if bound is None else f"{bound:g}" for bound in (option.low, option.high))


def describe_option(option: Option) -> str:
    """One line for a help text."""
    default = f"{option.default:g}" if option.type is float else option.default
    default = ("yes" if option.default else "no") if option.type is bool else default
    allowed = "|".join(option.choices) or option_range(option) or ("yes|no" if option.type is bool else "")
    return f"{option.help} [{allowed}{'; ' if allowed else ''}default: {default}]"


def as_texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Values as they would stand on a command line."""
    return {
        name: ("yes" if value else "no") if isinstance(value, bool) else str(value) for name, value in values.items()
    }
