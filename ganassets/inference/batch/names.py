"""Make the names of assets from templates such as "{generator}-{seed:08d}"."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from string import Formatter

from ...api.errors import InputError
from ...api.texts import suggest_name
from ...api.writer import check_names

DEFAULT, DEFAULT_OF_GRIDS = "{generator}-{seed:08d}", "{generator}-{seed:08d}-{place:03d}"
MAX_BYTES = 150  # bytes of a name; exporters append to it
# Allowed format specifications of each type; short, so that no name can fill the memory.
SPECIFICATIONS = {int: r"(0?[1-9][0-9]?)?d?", float: r"(\.[0-9])?[fg]?", str: ""}

NameValue = int | float | str


def compile_template(template: str, fields: Mapping[str, type]) -> Callable[[Mapping[str, NameValue]], str]:
    """Turn a template into a function of its fields' values.

    Args:
        template: Text with fields in braces; {{ and }} are braces.
        fields: Type of each available field.

    Raises:
        InputError: A field is unknown, a format specification is not allowed, or a brace is missing.
    """
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise InputError(f"the name template {template!r} can't be read ({error}).") from error
    for _, field, specification, conversion in parts:
        if field is None:
            continue
        if field not in fields:
            raise InputError(f"there is no {{{field}}} for a name; {suggest_name(field, list(fields))}")
        if conversion or not re.fullmatch(SPECIFICATIONS[fields[field]], specification or ""):
            raise InputError(f"a name can't have {{{field}{'!' if conversion else ':'}{conversion or specification}}}.")

    def name(values: Mapping[str, NameValue]) -> str:
        made = ""
        for text, field, specification, _ in parts:
            made += text
            if field is not None:
                made += format(values[field], specification or default_specification(values[field]))
        check_name(made)
        return made

    return name


def asset_name(generator: str, seed: int) -> str:
    """Return the default name of a seed's asset, such as "faces-00000007"."""
    return DEFAULT.format(generator=generator, seed=seed)


def default_specification(value: NameValue) -> str:
    """Return the default format specification of a value."""
    return "g" if isinstance(value, float) else ""


def check_name(name: str) -> None:
    """Raise InputError unless every system allows the name for files, also with a prefix and a suffix."""
    if len(os.fsencode(name)) > MAX_BYTES:
        raise InputError(f"the name {name[:40]!r}... is longer than {MAX_BYTES} bytes.")
    check_names([name])


def check_folder_name(folder: str) -> None:
    """Raise InputError unless a subfolder lies in the output folder: names with slashes between them."""
    for part in folder.split("/") if folder else ():
        check_name(part)
