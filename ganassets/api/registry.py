"""Find installed generators, exporters and commands.

Each gets a record with the plugin or with the reason why it failed. Importing this needs the standard library alone. A
plugin that raises on import can't stop the program: its record stores the error, and all others stay usable.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import metadata
from typing import TYPE_CHECKING, Any

from .errors import InputError, one_line
from .spec import API_VERSION, GeneratorSpec
from .texts import suggest_name

if TYPE_CHECKING:
    import click

    from .assets import Exporter


@dataclass(frozen=True)
class PluginRecord:
    """One entry point of an installed distribution.

    Attributes:
        kind: "generator", "exporter" or "command".
        name: Name of the entry point.
        distribution: Name of the package that installed it.
        version: Version of that package.
        value: Value of the entry point, "ganassets_faces:SPEC".
        plugin: The GeneratorSpec, Exporter or click command, or None if it failed.
        error: One sentence that says why it failed, or "".
        traceback: Python's traceback of the failure, or "" if nothing was raised.
    """

    kind: str
    name: str
    distribution: str
    version: str
    value: str
    plugin: Any = None
    error: str = ""
    traceback: str = ""

    @property
    def where(self) -> str:
        """Name and version of the distribution, "ganassets 0.1.0"."""
        return f"{self.distribution} {self.version}".rstrip()


@dataclass(frozen=True)
class _Kind:
    """A family of plugins.

    Attributes:
        name: "generator".
        group: Its group of entry points.
        load_class: Function that imports and returns the class of its plugins.
        versioned: Whether its plugins say which version of the plugin API they were written for.
    """

    name: str
    group: str
    load_class: Callable[[], type]
    versioned: bool = True


def _load_spec_class() -> type:
    return GeneratorSpec


def _load_exporter_class() -> type:
    from .assets import Exporter

    return Exporter


def _load_command_class() -> type:
    import click

    return click.Command


GENERATORS = _Kind("generator", "ganassets.generators", _load_spec_class)
EXPORTERS = _Kind("exporter", "ganassets.exporters", _load_exporter_class)
COMMANDS = _Kind("command", "ganassets.commands", _load_command_class, versioned=False)


# Old names of modules that plugins import, for the message only.
_MOVED_MODULES = {
    **{
        f"ganassets.{name}": f"ganassets.api.{name}"
        for name in (
            "assets", "blender", "data", "errors", "files", "inside_blender", "latents", "manifest", "motion",
            "options", "plugin_calls", "provenance", "rendering", "scratch", "shading", "spec", "texts", "toml_text",
            "writer",
        )
    },
    "ganassets.evaluation": "ganassets.training.evaluation",
    "ganassets.model": "ganassets.inference.model",
    "ganassets.networks": "ganassets.training.networks",
    "ganassets.onnx_export": "ganassets.training.onnx_export",
    "ganassets.plugin_checks": "ganassets.api.registry_checks",
    "ganassets.plugins": "ganassets.api.registry",
    "ganassets.recipe": "ganassets.inference.recipe",
    "ganassets.training.beginning": "ganassets.training.initialization",
    "ganassets.training.folder": "ganassets.training.run_folder",
    "ganassets.training.objective": "ganassets.training.loss",
    "ganassets.training.team": "ganassets.training.distributed",
    "ganassets.training.watch": "ganassets.training.progress",
}  # fmt: skip


def find_generators() -> list[PluginRecord]:
    """Return a record of every installed generator, sorted by name."""
    return _find(GENERATORS)


def find_exporters() -> list[PluginRecord]:
    """Return a record of every installed exporter, sorted by name."""
    return _find(EXPORTERS)


def find_commands() -> list[PluginRecord]:
    """Return a record of every installed command, sorted by name."""
    return _find(COMMANDS)


def generator_names() -> list[str]:
    """Return the names of the installed generators without importing any of them."""
    return sorted({point.name for point in _entry_points(GENERATORS)})


def exporter_names() -> list[str]:
    """Return the names of the installed exporters without importing any of them."""
    return sorted({point.name for point in _entry_points(EXPORTERS)})


def command_names() -> list[str]:
    """Return the names of the installed commands without importing any of them."""
    return sorted({point.name for point in _entry_points(COMMANDS)})


def load_generator(name: str) -> GeneratorSpec:
    """Import and return the generator of that name.

    Raises:
        InputError: There is none, or it failed.

    >>> load_generator("faces").asset_kind
    'mesh'
    """
    return _load_named(GENERATORS, name)


def load_exporter(name: str) -> Exporter:
    """Import and return the exporter of that name.

    Raises:
        InputError: There is none, or it failed. For a file suffix the message names the exporters that write it.

    >>> load_exporter("gltf").suffixes
    ('.glb',)
    """
    if name not in exporter_names() and (writers := writers_of(name)):
        raise InputError(f"there is no exporter {name!r}; {' and '.join(writers)} can write .{name.lower()} files.")
    return _load_named(EXPORTERS, name)


def writers_of(suffix: str) -> list[str]:
    """Return the names of the exporters that write files of a suffix: ["gltf"] for "glb"."""
    found = [record.plugin for record in find_exporters() if record.plugin]
    return [exporter.name for exporter in found if f".{suffix.lower()}" in exporter.suffixes]


def load_command(name: str) -> click.Command:
    """Import and return the command of that name.

    Raises:
        InputError: There is none, or it failed.
    """
    return _load_named(COMMANDS, name)


def load_format(spec: GeneratorSpec, name: str | None) -> Exporter:
    """Return the exporter of that name, or the generator's default exporter.

    Args:
        spec: The generator.
        name: Name of the exporter; None for the default.

    Raises:
        InputError: There is no such exporter, or it doesn't take the generator's kind of asset.
    """
    exporter = load_exporter(name or spec.exporter)
    if spec.asset_kind not in exporter.kinds:
        raise InputError(
            f"{exporter.name} takes {' and '.join(exporter.kinds)}, but {spec.name} makes {spec.asset_kind}."
        )
    return exporter


def plugin_label(plugin: GeneratorSpec | Exporter) -> str:
    """Return a plugin's name with its distribution, for errors: "generator 'planks' of ganassets-planks 1.0"."""
    return label_named(GENERATORS if isinstance(plugin, GeneratorSpec) else EXPORTERS, plugin.name)


def label_named(kind: _Kind, name: str) -> str:
    """Return the label of a plugin by kind and name without importing it; see plugin_label."""
    points = [point for point in _entry_points(kind) if point.name == name]
    where = f" of {points[0].distribution} {points[0].version}".rstrip() if points else ""
    return f"{kind.name} {name!r}{where}"


def records_named(kind: _Kind, name: str) -> list[PluginRecord]:
    """Return the records of that kind and name; more than one if distributions clash.

    Raises:
        InputError: There is none.
    """
    points = _entry_points(kind)
    named = [point for point in points if point.name == name]
    if not named:
        raise InputError(f"there is no {kind.name} {name!r}; {suggest_name(name, sorted({p.name for p in points}))}")
    return _mark_clashes([_load(kind, point) for point in named])


def _load_named(kind: _Kind, name: str) -> Any:
    record = records_named(kind, name)[0]
    if record.error:
        more = f" `ganassets plugins check {name}` shows more." if record.traceback else ""
        raise InputError(record.error + more)
    return record.plugin


def _find(kind: _Kind) -> list[PluginRecord]:
    return _mark_clashes([_load(kind, point) for point in _entry_points(kind)])


@dataclass(frozen=True)
class _Point:
    """An entry point that is not imported yet; `error` says why its line can't be read, or is ""."""

    name: str
    distribution: str
    version: str
    value: str
    error: str = ""


def _entry_points(kind: _Kind) -> list[_Point]:
    """Return the group's entry points by name; a distribution that is found twice counts once, as in imports."""
    found: list[_Point] = []
    seen: set[str] = set()
    for distribution in metadata.distributions():
        text = _entry_point_text(distribution)
        if kind.group not in text:
            continue
        name, version = _identity(distribution)
        if name.lower() in seen:
            continue
        seen.add(name.lower())
        found += _points_of(text, kind, name, version)
    return sorted(found, key=lambda point: (point.name, point.distribution))


def _entry_point_text(distribution: metadata.Distribution) -> str:
    try:
        return distribution.read_text("entry_points.txt") or ""
    except (OSError, UnicodeDecodeError):
        return ""  # such a distribution is broken and offers no plugins


def _identity(distribution: metadata.Distribution) -> tuple[str, str]:
    """Return name and version; installers sometimes leave broken metadata behind."""
    try:
        fields = distribution.metadata
        name, version = ((fields.get_all(key) or [""])[0] for key in ("Name", "Version"))
    except Exception:
        name, version = "", ""
    return name or "unknown package", version


def _points_of(text: str, kind: _Kind, distribution: str, version: str) -> Iterator[_Point]:
    """Yield the entry points in the group's section of an entry_points.txt."""
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line.strip("[] ")
        elif section == kind.group and line and not line.startswith("#"):
            name, equals, value = map(str.strip, line.partition("="))
            error = "" if equals else f"{distribution} {version} has a broken line in its entry points: {line!r}."
            yield _Point(name, distribution, version, value, error)


def _load(kind: _Kind, point: _Point) -> PluginRecord:
    """Import an entry point and check what it is; never raises."""
    record = PluginRecord(kind.name, point.name, point.distribution, point.version, point.value, error=point.error)
    if point.error:
        return record
    try:
        plugin = metadata.EntryPoint(point.name, point.value, kind.group).load()
        refusal = _refusal(kind, record, plugin)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit, or a class of the plugin's own that is not an Exception
        failure = f"{kind.name} {point.name!r} of {record.where} fails on import ({one_line(error)}).{_moved_to(error)}"
        return replace(record, error=failure, traceback=traceback.format_exc())
    return replace(record, error=refusal) if refusal else replace(record, plugin=plugin)


def _moved_to(error: BaseException) -> str:
    """Return a sentence with the new name of a module that a plugin imports by its old name, or ""."""
    old = (error.name or "") if isinstance(error, ModuleNotFoundError) else ""
    new = _MOVED_MODULES.get(old)
    return f" {old} is {new} now; change the import, or update the package." if new else ""


def _refusal(kind: _Kind, record: PluginRecord, plugin: object) -> str:
    """Return why a loaded object can't be used, or ""."""
    from .registry_checks import wrong_fields

    which = f"{kind.name} {record.name!r} of {record.where}"
    expected = kind.load_class()
    if not isinstance(plugin, expected):
        return f"{which} is of type {type(plugin).__name__}, not {expected.__name__}."
    version, name = getattr(plugin, "api_version", None), getattr(plugin, "name", None)
    if kind.versioned and version != API_VERSION:
        newer = isinstance(version, int) and version > API_VERSION
        return (
            f"{which} was written for plugin API {version}, this program has {API_VERSION}; "
            f"update {'ganassets' if newer else record.distribution}."
        )
    if name != record.name:
        return f"{which} calls itself {name!r}; its entry point must have the same name."
    problem = next(wrong_fields(plugin), "")
    return problem and f"{which} can't be used: {problem}"


def _mark_clashes(records: list[PluginRecord]) -> list[PluginRecord]:
    """Replace records that share a name by an error that names all their distributions."""
    owners: dict[str, list[PluginRecord]] = {}
    for record in records:
        owners.setdefault(record.name, []).append(record)
    return [_clash_error(record, owners[record.name]) if len(owners[record.name]) > 1 else record for record in records]


def _clash_error(record: PluginRecord, owners: list[PluginRecord]) -> PluginRecord:
    error = (
        f"{record.kind} {record.name!r} comes from {' and from '.join(owner.where for owner in owners)}; "
        "uninstall one of them."
    )
    return replace(record, plugin=None, error=error)
