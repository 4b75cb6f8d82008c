"""Calls of plugins' functions. What comes back is checked here, and a plugin that breaks its contract is named.

Each call raises PluginError when the function raises what is no GanassetsError, or returns what its contract doesn't
allow. Lists and dicts are handed over as copies, so that a plugin can't change the caller's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .assets import Mesh, MotionClip, Picture, TextureSet
from .errors import ContractError, GanassetsError, InputError, PluginError, one_line
from .registry import plugin_label
from .spec import Target
from .writer import check_names, stems_of

if TYPE_CHECKING:
    from pathlib import Path

    from .assets import Asset, Exporter, Provenance
    from .data import TrainingData
    from .manifest import Manifest, NoiseInfo
    from .spec import GeneratorSpec, Preset

    Plugin = GeneratorSpec | Exporter

ASSET_CLASSES = {kind.kind: kind for kind in (Mesh, TextureSet, MotionClip, Picture)}
FILE_READERS = ("dataset", "target")  # functions that read what the user names
FEW_CHARACTERS = 80  # of a file's name in a message


def broken(plugin: Plugin, function: str, expected: str, found: str) -> PluginError:
    """The error about a function of a plugin that must do one thing and did another."""
    return PluginError(plugin_label(plugin), function, expected, found)


def call_plugin(plugin: Plugin, function: str, expected: str, *arguments: Any) -> Any:
    """Result of a plugin's function, unchecked.

    Args:
        plugin: whose.
        function: name of the function, a field of the plugin.
        expected: what it must do, for the error: "return one picture".
        arguments: of the function.

    Raises:
        GanassetsError: the plugin raised it for the user to read.
        PluginError: it raised something else.
    """
    return guard(plugin, function, expected, lambda: getattr(plugin, function)(*arguments))


def guard(plugin: Plugin, function: str, expected: str, call: Callable[[], Any]) -> Any:
    """Result of a call into a plugin's code; see call_plugin."""
    try:
        return call()
    except ContractError as error:
        raise broken(plugin, function, expected, f"it made something else: {error}") from error
    except (GanassetsError, KeyboardInterrupt):
        raise
    except MemoryError as error:
        advice = "use fewer --workers or a smaller --size"
        raise GanassetsError(
            f"there is not enough memory for {function} of {plugin_label(plugin)}; {advice}."
        ) from error
    except BaseException as error:  # SystemExit, or a class of the plugin's own that is no Exception
        if function in FILE_READERS and isinstance(error, OSError) and error.filename:
            raise  # about a file or folder of the user's
        raise broken(plugin, function, expected, f"it raised {one_line(error)}") from error


def describe(value: object) -> str:
    """What a plugin returned, in words: "None", "a list of 3", "a float64 array of 2 x 3"."""
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        return f"a {value.dtype} array of {' x '.join(map(str, value.shape)) or 'no axes'}"
    name = type(value).__name__
    article = "an" if name[0] in "aeiouAEIOU" else "a"
    return f"{article} {name} of {len(value)}" if isinstance(value, (list, tuple, dict)) else f"{article} {name}"


def decode(
    spec: GeneratorSpec,
    arrays: Mapping[str, NDArray[np.float32]],
    manifest: Manifest,
    names: Sequence[str],
    provenances: Sequence[Provenance],
    settings: Mapping[str, Any],
) -> list[Asset]:
    """Assets of a model's outputs, one for each name, in order; see GeneratorSpec.decode."""
    expected = f"return a list with one asset of kind {spec.asset_kind} for each name"
    made = call_plugin(spec, "decode", expected, dict(arrays), manifest, list(names), list(provenances), dict(settings))
    if not isinstance(made, (list, tuple)):
        raise broken(spec, "decode", expected, f"it returned {describe(made)}")
    if len(made) != len(names):
        raise broken(spec, "decode", expected, f"it returned {len(made)} for {len(names)} names")
    for asset, name in zip(made, names, strict=True):
        problem = _asset_problem(spec, asset, name)
        if problem:
            raise broken(spec, "decode", expected, problem)
    return list(made)


def _asset_problem(spec: GeneratorSpec, asset: object, name: str) -> str:
    """What keeps an object from being the asset of a name, or ""; kinds of the core are of its classes."""
    kind = ASSET_CLASSES.get(spec.asset_kind)
    if kind is not None and not isinstance(asset, kind):
        return f"it returned {describe(asset)} in place of a {kind.__name__}"
    if getattr(asset, "kind", None) != spec.asset_kind or not callable(getattr(asset, "reduced", None)):
        return f"it returned {describe(asset)}, which lacks this kind or a method reduced"
    found = getattr(asset, "name", None)
    return "" if found == name else f"it called the asset {name} {found!r}"


def draw_preview(spec: GeneratorSpec, assets: Sequence[Any]) -> bytes:
    """PNG of assets, see GeneratorSpec.preview."""
    expected = "return one PIL image"
    return _encode_png(spec, "preview", expected, call_plugin(spec, "preview", expected, list(assets)))


def draw_snapshot(
    spec: GeneratorSpec, arrays: Mapping[str, NDArray[np.float32]], conditions: NDArray[np.float32]
) -> bytes | None:
    """PNG of samples in training, see GeneratorSpec.snapshot; None when there is nothing to show."""
    expected = "return one PIL image or None"
    image = call_plugin(spec, "snapshot", expected, dict(arrays), conditions.copy())
    return None if image is None else _encode_png(spec, "snapshot", expected, image)


def _encode_png(spec: GeneratorSpec, function: str, expected: str, image: object) -> bytes:
    from PIL import Image

    from .sheets import encode_sheet

    if not isinstance(image, Image.Image) or not all(image.size):
        size = f" of {image.width} x {image.height} pixels" if isinstance(image, Image.Image) else ""
        raise broken(spec, function, expected, f"it returned {describe(image)}{size}")
    try:
        return encode_sheet(image)
    except (OSError, ValueError) as error:
        raise broken(spec, function, expected, f"its image can't be a PNG ({one_line(error)})") from error


def draw_animation(spec: GeneratorSpec, assets: Sequence[Any]) -> bytes | None:
    """Animated WebP of assets, see GeneratorSpec.animation; None where the plugin has none, or nothing moves."""
    if spec.animation is None:
        return None
    expected = "return the bytes of a WebP file or None"
    content = call_plugin(spec, "animation", expected, list(assets))
    if content is not None and not (isinstance(content, bytes) and content[8:12] == b"WEBP"):
        found = "other bytes" if isinstance(content, bytes) else describe(content)
        raise broken(spec, "animation", expected, f"it returned {found}")
    return content


def reduce_asset(spec: GeneratorSpec, asset: Any, texels: int) -> Any:
    """Return the part of an asset that a picture of that many texels needs."""
    return guard(spec, "decode", "make assets that can be reduced", lambda: asset.reduced(texels))


def make_noise(
    spec: GeneratorSpec, seed: int, row: NDArray[np.float32], channels: int, size: Sequence[int]
) -> NDArray[np.float32]:
    """(channels, *size) noise map of a seed under physical conditions (c,), see GeneratorSpec.noise."""
    expected = f"return a finite float32 array of {' x '.join(map(str, (channels, *size)))}"
    noise = call_plugin(spec, "noise", expected, seed, row.copy(), tuple(size))
    _check_numbers(spec, "noise", expected, noise, (channels, *size))
    if noise.dtype != np.float32:
        raise broken(spec, "noise", expected, f"it returned {describe(noise)}")
    return noise


def choose_map_size(
    spec: GeneratorSpec, settings: Mapping[str, Any], row: NDArray[np.float32], info: NoiseInfo, axes: int
) -> tuple[int, ...]:
    """Size of a noise map under settings and physical conditions (c,), see GeneratorSpec.map_size."""
    expected = f"return {axes} whole number{'s' * (axes > 1)} above 0 that {info.stride} divides"
    size = call_plugin(spec, "map_size", expected, dict(settings), row.copy(), info)
    if not isinstance(size, (tuple, list)) or not all(isinstance(side, (int, np.integer)) for side in size):
        raise broken(spec, "map_size", expected, f"it returned {describe(size)}")
    if len(size) != axes or any(side <= 0 or side % info.stride for side in size):
        raise broken(spec, "map_size", expected, f"it returned {tuple(map(int, size))}")
    return tuple(map(int, size))


def find_features(
    spec: GeneratorSpec, arrays: Mapping[str, NDArray[np.float32]], conditions: NDArray[np.float32]
) -> NDArray[np.float64]:
    """(n, k) what samples are compared by, see GeneratorSpec.features."""
    expected = f"return a finite array of {len(conditions)} x k numbers"
    found = call_plugin(spec, "features", expected, dict(arrays), conditions.copy())
    _check_numbers(spec, "features", expected, found, (len(conditions), None))
    return found.astype(np.float64)


def measure_assets(spec: GeneratorSpec, assets: Sequence[Any]) -> dict[str, float]:
    """The plugin's measures of assets by name, see GeneratorSpec.measures; without those that are not finite."""
    expected = "return a dict of numbers by name"
    found = call_plugin(spec, "measures", expected, list(assets))
    if not isinstance(found, Mapping):
        raise broken(spec, "measures", expected, f"it returned {describe(found)}")
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, (int, float, np.integer, np.floating)):
            raise broken(spec, "measures", expected, f"{_short(name)} is {describe(value)}")
    return {name: float(value) for name, value in found.items() if math.isfinite(value)}


def read_target(spec: GeneratorSpec, file: Path) -> Target:
    """A file as something to come near to, see GeneratorSpec.target."""
    expected = "return a Target with finite numbers"
    try:
        target = call_plugin(spec, "target", expected, file)
    except PluginError as error:
        if isinstance(error.__cause__, ContractError):  # the user's file isn't what it should be
            raise error.__cause__ from None
        raise
    if not isinstance(target, Target):
        raise broken(spec, "target", expected, f"it returned {describe(target)}")
    _check_numbers(spec, "target", expected, target.wanted, (None,))
    return target


def compare_with_target(spec: GeneratorSpec, target: Target, assets: Sequence[Any]) -> NDArray[np.floating]:
    """(n, k) numbers of assets that a target compares."""
    expected = f"return a Target whose features give a finite array of {len(assets)} x k numbers"
    found = guard(spec, "target", expected, lambda: target.features(list(assets)))
    _check_numbers(spec, "target", expected, found, (len(assets), None))
    return found


def static_digests(spec: GeneratorSpec) -> dict[str, str]:
    """Digests of the package data that a model depends on, see GeneratorSpec.static_digests."""
    expected = "return a dict of texts by name"
    found = call_plugin(spec, "static_digests", expected)
    if not isinstance(found, dict) or not all(isinstance(text, str) for pair in found.items() for text in pair):
        raise broken(spec, "static_digests", expected, f"it returned {describe(found)}")
    return found


def make_dataset(
    spec: GeneratorSpec, preset: Preset, options: Mapping[str, Any], seed: int, report: Callable[[int, int], None]
) -> TrainingData:
    """Training samples, see GeneratorSpec.dataset; all finite, and as the spec's conditions and axes say."""
    from .data import TrainingData
    from .data.checks import data_problem

    expected = "return TrainingData that fit the generator"
    data = call_plugin(spec, "dataset", expected, preset, dict(options), seed, report)
    if not isinstance(data, TrainingData):
        raise broken(spec, "dataset", expected, f"it returned {describe(data)}")
    problem = data_problem(spec, preset, data)
    if problem:
        raise broken(spec, "dataset", expected, problem)
    return data


def export_asset(exporter: Exporter, asset: Any, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Content of an asset's files by name, see Exporter.export."""
    expected = "return a dict of bytes by file name"
    files = call_plugin(exporter, "export", expected, asset, dict(options))
    if not isinstance(files, dict) or not files:
        raise broken(exporter, "export", expected, f"it returned {describe(files)}")
    for name, content in files.items():
        if not isinstance(name, str) or not isinstance(content, bytes):
            raise broken(exporter, "export", expected, f"{_short(name)} is {describe(content)}")
    try:
        check_names(files)
    except InputError as error:
        raise broken(exporter, "export", "name files that every system takes", str(error)) from error
    for name in files:
        if asset.name not in stems_of(name):  # or two assets could have one file
            raise broken(exporter, "export", f"name files after {asset.name}", f"it called one {_short(name)}")
    return files


def _short(name: object) -> str:
    text = repr(name)
    return text if len(text) <= FEW_CHARACTERS else f"{text[:FEW_CHARACTERS]}..."


def _check_numbers(plugin: Plugin, function: str, expected: str, array: object, shape: tuple[int | None, ...]) -> None:
    """PluginError unless it is an array of finite numbers of a shape (None: any length)."""
    fits = (
        isinstance(array, np.ndarray)
        and array.dtype.kind in "fiu"
        and len(shape) == array.ndim
        and all(wanted in (None, size) for wanted, size in zip(shape, array.shape, strict=True))
    )
    if not fits:
        raise broken(plugin, function, expected, f"it returned {describe(array)}")
    assert isinstance(array, np.ndarray)
    if not np.isfinite(array).all():
        raise broken(plugin, function, expected, "it returned numbers that are not finite")
