"""What a loaded plugin gets wrong: fields of wrong types, and the rules of the contracts that types can't say."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .errors import one_line
from .options import READERS, in_range
from .spec import CHOOSING, OBJECTIVES, Condition, DataOption, GeneratorSpec, Output, Preset

if TYPE_CHECKING:
    from .assets import Exporter, Option

NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
DIGEST = re.compile(r"[0-9a-f]{64}")
GRAPH_INPUTS = ("z", "condition", "truncation", "w_offset", "noise")
# Options that `ganassets train` has for every generator.
TRAIN_OPTIONS = (
    "preset", "out", "seed", "kimg", "objective", "device", "threads", "devices", "from", "trusted",
    "resume", "precision", "debug", "help",
)  # fmt: skip
POSITIVE = (
    "size", "network_size", "kimg", "width", "max_width", "z_dim", "w_dim", "samples", "batch", "learning_rate",
    "penalty_interval", "regression_rate",
)  # fmt: skip

FUNCTIONS = ("dataset", "domain", "decode", "preview", "static_digests")
OPTIONAL_FUNCTIONS = ("noise", "map_size", "animation", "snapshot", "features", "networks", "measures", "target")


def wrong_fields(plugin: object) -> Iterator[str]:
    """One sentence for each field of a generator or an exporter that has a wrong type; nothing of other objects."""
    from .assets import Exporter, Option

    if isinstance(plugin, GeneratorSpec):
        texts, functions, optional = (
            ("name", "summary", "version", "asset_kind", "exporter"),
            FUNCTIONS,
            OPTIONAL_FUNCTIONS,
        )
        members = {"outputs": Output, "conditions": Condition, "wraps": bool, "presets": Preset,
                   "data_options": DataOption, "settings": Option}  # fmt: skip
    elif isinstance(plugin, Exporter):
        texts, functions, optional = ("name", "summary"), ("export",), ()
        members = {"kinds": str, "suffixes": str, "options": Option}
    else:
        return
    for name in texts:
        if not isinstance(getattr(plugin, name), str):
            yield f"{name} must be a text, not {_kind_of(getattr(plugin, name))}."
    for name, kind in members.items():
        yield from _members(name, getattr(plugin, name), kind)
    if isinstance(plugin, GeneratorSpec) and plugin.presets == ():
        yield "presets must hold at least one preset."
    for name in (*functions, *optional):
        function = getattr(plugin, name)
        if not callable(function) and (function is not None or name in functions):
            yield f"{name} must be a function{' or None' * (name in optional)}, not {_kind_of(function)}."


def _members(name: str, values: object, kind: type) -> Iterator[str]:
    if not isinstance(values, (tuple, list)):
        yield f"{name} must be a tuple of {kind.__name__}, not {_kind_of(values)}."
        return
    wrong = next((value for value in values if not isinstance(value, kind)), kind)
    if wrong is not kind:
        yield f"{name} must be a tuple of {kind.__name__}, but holds {_kind_of(wrong)}."


def _kind_of(value: object) -> str:
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def generator_problems(spec: GeneratorSpec) -> list[str]:
    """One sentence for each rule that a generator breaks; empty when all is well."""
    return list(wrong_fields(spec)) or _collected(_generator_rules(spec))


def _generator_rules(spec: GeneratorSpec) -> Iterator[str]:
    yield from _names("generator", [spec.name])
    yield from _filled("summary", spec.summary)
    yield from _filled("version", spec.version)
    yield from _filled("asset kind", spec.asset_kind)
    yield from _outputs(spec)
    yield from _conditions(spec)
    yield from _presets(spec)
    yield from _data_options(spec)
    yield from _static_digests(spec)
    yield from _names("default exporter's", [spec.exporter])
    yield from _names("setting", [option.name for option in spec.settings])
    for option in spec.settings:
        yield from _option(option)


def _collected(problems: Iterator[str]) -> list[str]:
    """All problems; a field of a strange type that stops the checks is one."""
    found: list[str] = []
    try:
        found.extend(problems)
    except Exception as error:
        found.append(f"a field has a value that can't be checked ({one_line(error)}).")
    return found


def exporter_problems(exporter: Exporter) -> list[str]:
    """One sentence for each rule that an exporter breaks; empty when all is well."""
    return list(wrong_fields(exporter)) or _collected(_exporter_rules(exporter))


def _exporter_rules(exporter: Exporter) -> Iterator[str]:
    yield from _names("exporter", [exporter.name])
    yield from _filled("summary", exporter.summary)
    if not exporter.kinds:
        yield "it takes no kind of asset."
    if not exporter.suffixes:
        yield "it names no suffix of its files."
    yield from (f"suffix {s!r} must start with a dot." for s in exporter.suffixes if not s.startswith("."))
    yield from _names("option", [option.name for option in exporter.options])
    for option in exporter.options:
        yield from _option(option)


def _names(what: str, names: Sequence[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if not isinstance(name, str) or not NAME.fullmatch(name):
            yield f"{what} name {name!r} must be lower-case letters and digits, with - or _ between them."
        if count > 1:
            yield f"{what} name {name!r} is used {count} times."


def _filled(what: str, text: str) -> list[str]:
    return [] if isinstance(text, str) and text.strip() and "\n" not in text else [f"{what} must be one line of text."]


def _outputs(spec: GeneratorSpec) -> Iterator[str]:
    if not spec.outputs:
        yield "it has no outputs."
    yield from _names("output", [output.name for output in spec.outputs])
    for output in spec.outputs:
        if output.name in GRAPH_INPUTS:
            yield f"output {output.name!r} has the name of a model's input."
        if not output.axes:
            yield f"output {output.name!r} names no axes."
        if output.low is not None and output.high is not None and not output.low < output.high:
            yield f"output {output.name!r} has an empty range."


def _conditions(spec: GeneratorSpec) -> Iterator[str]:
    yield from _names("condition", [condition.name for condition in spec.conditions])
    for condition in spec.conditions:
        yield from _choices(condition) if condition.choices else _slider(condition)


def _choices(condition: Condition) -> Iterator[str]:
    yield from _names(f"choice of {condition.name}", condition.choices)
    if len(condition.choices) < 2:
        yield f"condition {condition.name!r} has a single choice."


def _slider(condition: Condition) -> Iterator[str]:
    if not (math.isfinite(condition.low) and math.isfinite(condition.high) and condition.low < condition.high):
        yield f"condition {condition.name!r} has the empty range {condition.low}..{condition.high}."


def _presets(spec: GeneratorSpec) -> Iterator[str]:
    if len(spec.wraps) not in (1, 2):
        yield "wraps must have one entry for each axis of the signals (1 or 2)."
    yield from _names("preset", [preset.name for preset in spec.presets])
    for preset in spec.presets:
        yield from (f"preset {preset.name!r}: {problem}" for problem in _preset(preset))
        if spec.networks is None and preset.network_size > 0 and not is_power_of_two(preset.network_size):
            yield f"preset {preset.name!r}: network_size must be a power of two, because the core's networks double it."


def _preset(preset: Preset) -> Iterator[str]:
    for name in POSITIVE:
        if not getattr(preset, name) > 0:
            yield f"{name} must be above 0."
    if preset.network_size > 0 and preset.size % preset.network_size:
        yield f"size {preset.size} is not a multiple of network_size {preset.network_size}."
    if preset.max_width < preset.width:
        yield "max_width is below width."
    if preset.objective not in OBJECTIVES:
        yield f"objective {preset.objective!r} is none of {', '.join(OBJECTIVES)}."
    if preset.clusters and not preset.z_dim > CHOOSING:
        yield f"clusters need a z_dim above {CHOOSING}."
    if preset.basis_size and not is_power_of_two(preset.size / preset.basis_size):
        yield f"size {preset.size} is not basis_size {preset.basis_size} times a power of two."
    for name in ("paired", "augmentation"):
        if not 0 <= getattr(preset, name) <= 1:
            yield f"{name} must lie between 0 and 1."
    for name in ("components", "clusters", "basis_size", "gamma", "regression_weight"):
        if not getattr(preset, name) >= 0:
            yield f"{name} must not be negative."
    if not 0 <= preset.regression < 1:
        yield f"regression {preset.regression:g} must be at least 0 and below 1."


def is_power_of_two(number: float) -> bool:
    """Whether it is 1, 2, 4, ..."""
    return number >= 1 and math.log2(number).is_integer()


def _data_options(spec: GeneratorSpec) -> Iterator[str]:
    yield from _names("data option", [option.name for option in spec.data_options])
    for option in spec.data_options:
        if option.name in TRAIN_OPTIONS:
            yield f"data option {option.name!r} has the name of an option of every `ganassets train`."


def _static_digests(spec: GeneratorSpec) -> Iterator[str]:
    try:
        digests = spec.static_digests()
    except Exception as error:
        yield f"static_digests fails ({one_line(error)})."
        return
    for name, digest in digests.items():
        if not DIGEST.fullmatch(digest):
            yield f"static digest of {name!r} is not a SHA-256 in hex."


def _option(option: Option) -> Iterator[str]:
    if option.type not in READERS:
        yield f"option {option.name!r} must be bool, int, float or str."
    elif not isinstance(option.default, option.type) or (option.type is int and isinstance(option.default, bool)):
        yield f"option {option.name!r} has a default that is no {option.type.__name__}."
    elif option.choices and option.default not in option.choices:
        yield f"option {option.name!r} has a default that is none of its choices."
    elif not in_range(option, option.default):
        yield f"option {option.name!r} has a default outside its range."
