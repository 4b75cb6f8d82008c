"""Names of assets by template: "{generator}-{seed:08d}"."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from string import Formatter

from ...api.errors import InputError
from ...api.registry import nearest
from ...api.writer import check_names

DEFAULT, DEFAULT_OF_GRIDS = "{generator}-{seed:08d}", "{generator}-{seed:08d}-{place:03d}"
MAX_BYTES = 150  # exporters add to a name
# How each type of value may be formatted: no specification is so long that it could fill the memory.
SPECIFICATIONS = {int: r"(0?[1-9][0-9]?)?d?", float: r"(\.[0-9])?[fg]?", str: ""}

NameValue = int | float | str


def compile_template(template: str, fields: Mapping[str, type]) -> Callable[[Mapping[str, NameValue]], str]:
    """A template as a function of its fields' values.

    Args:
        template: with fields in braces; {{ and }} are braces.
        fields: type of each that there is.

    Raises:
        InputError: a field is unknown, or is asked for more than its value, or the template isn't closed.
    """
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise InputError(f"the name {template!r} makes no sense ({error}).") from error
    for _, field, specification, conversion in parts:
        if field is None:
            continue
        if field not in fields:
            raise InputError(f"there is no {{{field}}} for a name; {nearest(field, list(fields))}")
        if conversion or not re.fullmatch(SPECIFICATIONS[fields[field]], specification or ""):
            raise InputError(f"a name can't have {{{field}{'!' if conversion else ':'}{conversion or specification}}}.")

    def name(values: Mapping[str, NameValue]) -> str:
        made = "".join(
            text + (format(values[field], specification or default_of(values[field])) if field is not None else "")
            for text, field, specification, _ in parts
        )
        check_name(made)
        return made

    return name


def asset_name(generator: str, seed: int) -> str:
    """Return the default name of a seed's asset, such as "faces-00000007"."""
    return DEFAULT.format(generator=generator, seed=seed)


def default_of(value: NameValue) -> str:
    """How a value stands in a name."""
    return "g" if isinstance(value, float) else ""


def check_name(name: str) -> None:
    """InputError unless files may be called so on every system, with something before and behind it."""
    if len(os.fsencode(name)) > MAX_BYTES:
        raise InputError(f"the name {name[:40]!r}... is longer than {MAX_BYTES} bytes.")
    check_names([name])


def check_folder_name(folder: str) -> None:
    """InputError unless a folder lies in the output folder: names with slashes between them, none of them special."""
    for part in folder.split("/") if folder else ():
        check_name(part)
