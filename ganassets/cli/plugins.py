"""`ganassets plugins`: list installed plugins, and check them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ..api.errors import GanassetsError, InputError
from ..api.registry import (
    COMMANDS,
    EXPORTERS,
    GENERATORS,
    PluginRecord,
    command_names,
    exporter_names,
    find_commands,
    find_exporters,
    find_generators,
    generator_names,
    records_named,
)
from ..api.texts import suggest_name
from .base import debug_option
from .output import say, say_lines
from .plugin_options import describe_condition

if TYPE_CHECKING:
    from ..api.assets import Exporter
    from ..api.spec import GeneratorSpec

EXAMPLES = """\b
Examples:
  ganassets plugins list
  ganassets plugins check faces
"""


@click.group(name="plugins", short_help="Show and check generators, exporters and commands.", epilog=EXAMPLES)
@debug_option
def command() -> None:
    """Show installed generators, exporters and commands, and check them."""


@command.command(name="list", epilog="\b\nExamples:\n  ganassets plugins list\n")
@debug_option
def list_plugins() -> None:
    """List generators, exporters and commands, with the error of those that fail to load."""
    rows = [("kind", "name", "state", "package", "summary")]
    for record in [*find_generators(), *find_exporters(), *find_commands()]:
        state = "failed" if record.error else "ok"
        rows.append((record.kind, record.name, state, record.where, record.error or summarize(record)))
    # Formatted by hand, because importing a table library takes longer than everything else here.
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        say(line, bold=row is rows[0], fg="red" if row[2] == "failed" else None)


def summarize(record: PluginRecord) -> str:
    """Return one line about a plugin that works."""
    return record.plugin.get_short_help_str(200) if record.kind == COMMANDS.name else record.plugin.summary


def complete_plugins(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete names of plugins."""
    del ctx, param
    names = [*generator_names(), *exporter_names(), *command_names()]
    return [name for name in names if name.startswith(incomplete)]


@command.command(name="check", epilog="\b\nExamples:\n  ganassets plugins check faces\n")
@click.argument("name", shell_complete=complete_plugins)
@debug_option
def check_plugin(name: str) -> None:
    """Load a plugin and check it against its contract; exit code 1 when it fails."""
    names_by_kind = {GENERATORS: generator_names(), EXPORTERS: exporter_names(), COMMANDS: command_names()}
    records = [record for kind, names in names_by_kind.items() if name in names for record in records_named(kind, name)]
    if not records:
        raise InputError(
            f"there is no plugin {name!r}; {suggest_name(name, [*itertools.chain(*names_by_kind.values())])}"
        )
    failed = [record for record in records if not check_record(record)]
    if failed:
        raise GanassetsError(f"{failed[0].kind} {name!r} of {failed[0].where} does not pass.")


def check_record(record: PluginRecord) -> bool:
    """Print a plugin's features and problems; return whether it has no problems."""
    from ..api.registry_checks import exporter_problems, generator_problems

    say(f"{record.kind} {record.name} ({record.where}, {record.value})", bold=True)
    if record.error:
        say_lines(record.traceback or record.error)
        return False
    describe, find_problems = {
        GENERATORS.name: (describe_generator, generator_problems),
        EXPORTERS.name: (describe_exporter, exporter_problems),
        COMMANDS.name: (describe_command, no_problems),
    }[record.kind]
    for line in describe(record.plugin):
        say(f"  {line}")
    problems = find_problems(record.plugin)
    for problem in problems:
        say(f"  problem: {problem}", fg="red")
    if not problems:
        say("  ok")
    return not problems


def no_problems(command: click.Command) -> list[str]:
    """Return no problems; a command has no contract beyond its type."""
    del command
    return []


def describe_generator(spec: GeneratorSpec) -> Iterator[str]:
    """Yield lines about a generator."""
    yield spec.summary
    for output in spec.outputs:
        yield f"output {output.name}: {' x '.join(output.axes)}, {output.unit}"
    for condition in spec.conditions:
        yield f"slider {condition.name}: {describe_condition(condition)}"
    for preset in spec.presets:
        yield f"preset {preset.name}: {preset.summary} (size {preset.size}, {preset.kimg:g} kimg)"
    for option in spec.data_options:
        yield f"data option --{option.name}: {option.help}"


def describe_exporter(exporter: Exporter) -> Iterator[str]:
    """Yield lines about an exporter."""
    from ..api.options import describe_option

    yield exporter.summary
    yield f"takes {', '.join(exporter.kinds)}; writes {', '.join(exporter.suffixes)}"
    for option in exporter.options:
        yield f"option {option.name}: {describe_option(option)}"


def describe_command(command: click.Command) -> Iterator[str]:
    """Yield lines about a command."""
    yield command.get_short_help_str(200)
    if isinstance(command, click.Group):
        yield f"commands {', '.join(command.list_commands(click.Context(command)))}"
