"""Check a loaded plugin: types of its fields, its functions, and rules of the contract that types can't express."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

from .conditions import Condition
from .errors import InputError, one_line
from .functions import FORM, PATH, FunctionPathError, LazyFunction, load_function
from .options import READERS, in_range
from .outputs import Output
from .spec import CHOOSING, OBJECTIVES, DataOption, GeneratorSpec, Preset

if TYPE_CHECKING:
    from .assets import Exporter, Option

NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
DIGEST = re.compile(r"[0-9a-f]{64}")
GRAPH_INPUTS = ("z", "condition", "truncation", "w_offset", "noise")
# Options of `ganassets train` for every generator.
TRAIN_OPTIONS = (
    "preset", "out", "seed", "kimg", "objective", "device", "threads", "devices", "from", "trusted",
    "resume", "precision", "debug", "help",
)  # fmt: skip
POSITIVE = (
    "size", "network_size", "kimg", "width", "max_width", "z_dim", "w_dim", "samples", "batch", "learning_rate",
    "penalty_interval", "regression_rate",
)  # fmt: skip

FUNCTIONS = ("dataset", "domain", "decode", "preview", "static_digests")
OPTIONAL_FUNCTIONS = (
    "noise", "map_size", "animation", "snapshot", "features", "networks", "measures", "baselines", "target",
)  # fmt: skip


def wrong_fields(plugin: object) -> Iterator[str]:
    """Yield one sentence for each field of a generator or exporter that has a wrong type; none for other objects."""
    from .assets import Exporter, Option

    if isinstance(plugin, GeneratorSpec):
        texts = ("name", "summary", "version", "asset_kind", "exporter")
        members = {"outputs": Output, "conditions": Condition, "wraps": bool, "presets": Preset,
                   "data_options": DataOption, "settings": Option}  # fmt: skip
        functions, optional = FUNCTIONS, OPTIONAL_FUNCTIONS
    elif isinstance(plugin, Exporter):
        texts = ("name", "summary")
        members = {"kinds": str, "suffixes": str, "options": Option}
        functions, optional = ("export",), ()
    else:
        return
    for name in texts:
        if not isinstance(getattr(plugin, name), str):
            yield f"{name} must be a text, not {_type_name(getattr(plugin, name))}."
    for name, cls in members.items():
        yield from _wrong_members(name, getattr(plugin, name), cls)
    if isinstance(plugin, GeneratorSpec) and plugin.presets == ():
        yield "presets must hold at least one preset."
    for name in functions:
        yield from _wrong_function(name, getattr(plugin, name), "a function")
    for name in optional:
        if getattr(plugin, name) is not None:
            yield from _wrong_function(name, getattr(plugin, name), "a function or None")


def _wrong_members(name: str, values: object, cls: type) -> Iterator[str]:
    if not isinstance(values, (tuple, list)):
        yield f"{name} must be a tuple of {cls.__name__}, not {_type_name(values)}."
        return
    wrong = [value for value in cast("Sequence[object]", values) if not isinstance(value, cls)]
    if wrong:
        yield f"{name} must be a tuple of {cls.__name__}, but holds {_type_name(wrong[0])}."


def _wrong_function(name: str, function: object, expected: str) -> Iterator[str]:
    if isinstance(function, LazyFunction) and not PATH.fullmatch(function.path):
        yield f"{name} must be {expected}, not a path such as {function.path!r}: write {FORM}."
    elif not callable(function):
        yield f"{name} must be {expected}, not {_type_name(function)}."


def _type_name(value: object) -> str:
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def generator_problems(spec: GeneratorSpec) -> list[str]:
    """Return one sentence for each rule that a generator breaks.

    The modules of functions that are given as paths are imported; one whose optional library is missing is passed over.
    """
    return list(wrong_fields(spec)) or _collect(_generator_rules(spec))


def _generator_rules(spec: GeneratorSpec) -> Iterator[str]:
    yield from _names("generator", [spec.name])
    yield from _filled("summary", spec.summary)
    yield from _filled("version", spec.version)
    yield from _filled("asset kind", spec.asset_kind)
    yield from _outputs(spec)
    yield from _conditions(spec)
    yield from _presets(spec)
    yield from _data_options(spec)
    yield from _functions(spec, (*FUNCTIONS, *OPTIONAL_FUNCTIONS))
    yield from _static_digests(spec)
    yield from _names("default exporter's", [spec.exporter])
    yield from _names("setting", [option.name for option in spec.settings])
    for option in spec.settings:
        yield from _option(option)


def _collect(problems: Iterator[str]) -> list[str]:
    """Return all problems; a value that stops the checks is one of them."""
    found: list[str] = []
    try:
        found.extend(problems)
    except Exception as error:
        found.append(f"a field has a value that can't be checked ({one_line(error)}).")
    return found


def exporter_problems(exporter: Exporter) -> list[str]:
    """Return one sentence for each rule that an exporter breaks; see generator_problems."""
    return list(wrong_fields(exporter)) or _collect(_exporter_rules(exporter))


def _exporter_rules(exporter: Exporter) -> Iterator[str]:
    yield from _names("exporter", [exporter.name])
    yield from _filled("summary", exporter.summary)
    yield from _functions(exporter, ("export",))
    if not exporter.kinds:
        yield "it takes no kind of asset."
    if not exporter.suffixes:
        yield "it names no suffix of its files."
    yield from (f"suffix {s!r} must start with a dot." for s in exporter.suffixes if not s.startswith("."))
    yield from _names("option", [option.name for option in exporter.options])
    for option in exporter.options:
        yield from _option(option)


def _functions(plugin: GeneratorSpec | Exporter, names: Sequence[str]) -> Iterator[str]:
    """Yield problems of functions that are given as paths."""
    for name in names:
        function: object = getattr(plugin, name)
        if not isinstance(function, LazyFunction):
            continue
        try:
            load_function(function.path)
        except FunctionPathError as error:
            yield f"{name} names no function: {error}."
        except Exception as error:
            if not _lacks_library(error, function.path):
                yield f"{name} can't be imported from {function.path!r} ({one_line(error)})."


def _lacks_library(error: Exception, path: str) -> bool:
    """Whether an import failed for lack of another package, such as torch, which may be optional."""
    if isinstance(error, ModuleNotFoundError):
        return (error.name or "").partition(".")[0] != re.split("[.:]", path)[0]
    return isinstance(error, InputError)


def _names(what: str, names: Sequence[object]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if not isinstance(name, str) or not NAME.fullmatch(name):
            yield f"{what} name {name!r} must be lower-case letters and digits, with - or _ between them."
        if count > 1:
            yield f"{what} name {name!r} is used {count} times."


def _filled(what: str, text: str) -> list[str]:
    return [] if text.strip() and "\n" not in text else [f"{what} must be one line of text."]


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
    names = [preset.name for preset in spec.presets]
    yield from _names("preset", names)
    if spec.data_preset and spec.data_preset not in names:
        yield f"data_preset {spec.data_preset!r} is none of its presets."
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
    for name in ("paired", "augmentation", "regression"):
        if not 0 <= getattr(preset, name) <= 1:
            yield f"{name} must lie between 0 and 1."
    for name in (
        "components",
        "clusters",
        "basis_size",
        "gamma",
        "regression_weight",
        "feature_weight",
        "matching_weight",
    ):
        if not getattr(preset, name) >= 0:
            yield f"{name} must not be negative."


def is_power_of_two(number: float) -> bool:
    """Whether a number is 1, 2, 4, ..."""
    return number >= 1 and math.log2(number).is_integer()


def _data_options(spec: GeneratorSpec) -> Iterator[str]:
    yield from _names("data option", [option.name for option in spec.data_options])
    for option in spec.data_options:
        if option.name in TRAIN_OPTIONS:
            yield f"data option {option.name!r} has the name of an option of every `ganassets train`."


def _static_digests(spec: GeneratorSpec) -> Iterator[str]:
    try:
        digests = spec.static_digests()
    except FunctionPathError:
        return  # reported by _functions
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
