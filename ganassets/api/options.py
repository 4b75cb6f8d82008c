"""Values of options that exporters and generators declare: read, checked and completed with the defaults."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .errors import InputError
from .texts import suggest_name

if TYPE_CHECKING:
    from .assets import Option

SWITCHES = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def read_switch(text: str) -> bool:
    """Return the value of "yes", "no" and their synonyms in SWITCHES; KeyError for anything else."""
    return SWITCHES[text.lower()]


# Type of an option -> function that reads its text, and what a message calls the type.
READERS: dict[type, tuple[Callable[[str], Any], str]] = {
    bool: (read_switch, "yes or no"),
    int: (int, "a whole number"),
    float: (float, "a number"),
    str: (str, "a text"),
}


def option_values(options: Sequence[Option], given: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of all options by name, with defaults for those that are not given.

    Args:
        options: Declared options.
        given: Texts by option name.

    Raises:
        InputError: A name is unknown, or a text is not of the option's type, choices or range.

    >>> from ganassets.api.assets import Option
    >>> size = Option("size", int, 512, "Longest side in texels.", low=16, high=4096)
    >>> option_values([size], {}), option_values([size], {"size": "64"})
    ({'size': 512}, {'size': 64})
    """
    known = {option.name: option for option in options}
    for name in given:
        if name not in known:
            raise InputError(f"there is no option {name!r}; {suggest_name(name, list(known))}")
    return {
        name: read_option(option, given[name]) if name in given else option.default for name, option in known.items()
    }


def read_option(option: Option, text: str) -> Any:
    """Return the value of an option's text.

    Raises:
        InputError: The text is not of the option's type, choices or range.
    """
    read, kind = READERS[option.type]
    try:
        value = read(text)
    except (ValueError, KeyError) as error:
        raise InputError(f"{option.name} takes {kind}, not {text!r}.") from error
    check_value(option, value)
    return value


def check_value(option: Option, value: object) -> None:
    """Raise InputError unless a value is of the option's type, choices and range."""
    types = (int, float) if option.type is float else option.type
    if not isinstance(value, types) or (isinstance(value, bool) and option.type is not bool):
        raise InputError(f"{option.name} takes {READERS[option.type][1]}, not {value!r}.")
    if option.choices and value not in option.choices:
        raise InputError(f"{option.name} is one of {', '.join(option.choices)}, not {value!r}.")
    shown = f"{value:g}" if isinstance(value, float) else value
    if not in_range(option, value):
        raise InputError(f"{option.name} {shown} is outside {option_range(option)}.")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{option.name} takes a number, not {shown}.")


def in_range(option: Option, value: object) -> bool:
    """Whether a value is within the option's bounds; NaN never is, and a text has no bounds."""
    low, high = option.low, option.high
    if not isinstance(value, (int, float)):
        return low is None and high is None
    return (low is None or value >= low) and (high is None or value <= high)


def option_range(option: Option) -> str:
    """Return the bounds as "64..4096", with an open end where one is missing, or "" without any."""
    if option.low is None and option.high is None:
        return ""
    return "..".join("" if bound is None else f"{bound:g}" for bound in (option.low, option.high))


def describe_option(option: Option) -> str:
    """Return one line for a help text: what the option does, the allowed values and the default."""
    default = f"{option.default:g}" if option.type is float else option.default
    default = ("yes" if option.default else "no") if option.type is bool else default
    allowed = "|".join(option.choices) or option_range(option) or ("yes|no" if option.type is bool else "")
    return f"{option.help} [{allowed}{'; ' if allowed else ''}default: {default}]"


def as_texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Return values as a user would write them on a command line: yes, no, 0.5."""
    return {
        name: ("yes" if value else "no") if isinstance(value, bool) else str(value) for name, value in values.items()
    }
