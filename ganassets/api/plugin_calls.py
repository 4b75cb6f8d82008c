"""Call functions of plugins and check what they return; an error names the plugin that broke its contract.

Each call raises PluginError when the function raises anything but a GanassetsError, or returns what its contract
doesn't allow. Lists and dicts are passed as copies, so that a plugin can't change the caller's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from .assets import Mesh, MotionClip, Picture, TextureSet
from .errors import ContractError, GanassetsError, InputError, PluginError, one_line
from .functions import FORM, FunctionPathError
from .registry import plugin_label
from .spec import Target
from .writer import check_names, stems_of

if TYPE_CHECKING:
    from pathlib import Path

    from .assets import Asset, Exporter
    from .data import TrainingData
    from .manifest import Manifest, NoiseInfo
    from .provenance import Provenance
    from .spec import GeneratorSpec, Preset

Plugin: TypeAlias = "GeneratorSpec | Exporter"
FloatArray = NDArray[np.float32]

ASSET_CLASSES = {cls.kind: cls for cls in (Mesh, TextureSet, MotionClip, Picture)}
FILE_READERS = ("dataset", "baselines", "target")  # functions that read files of the user
MAX_QUOTED = 80  # characters of a file name in a message


def contract_error(plugin: Plugin, function: str, expected: str, found: str) -> PluginError:
    """Return the error for a plugin's function that did something else than its contract says."""
    return PluginError(plugin_label(plugin), function, expected, found)


def call_plugin(plugin: Plugin, function: str, expected: str, *arguments: Any) -> Any:
    """Call a function of a plugin without checking its result.

    Args:
        plugin: Generator or exporter.
        function: Name of the plugin's field that holds the function.
        expected: What the function must do, for the error: "return one picture".
        arguments: Arguments of the function.

    Raises:
        GanassetsError: The plugin raised it for the user.
        PluginError: The plugin raised something else, or names a function that doesn't exist.
    """
    return call_checked(plugin, function, expected, lambda: getattr(plugin, function)(*arguments))


def call_checked(plugin: Plugin, function: str, expected: str, call: Callable[[], Any]) -> Any:
    """Return what a call into a plugin's code returns, with its errors turned into those of call_plugin."""
    try:
        return call()
    except FunctionPathError as error:
        raise contract_error(plugin, function, f"be a function or its path, {FORM}", str(error)) from error
    except ContractError as error:
        raise contract_error(plugin, function, expected, f"it made something else: {error}") from error
    except (GanassetsError, KeyboardInterrupt):
        raise
    except MemoryError as error:
        advice = "use fewer --workers or a smaller --size"
        raise GanassetsError(
            f"there is not enough memory for {function} of {plugin_label(plugin)}; {advice}."
        ) from error
    except BaseException as error:  # SystemExit, or a class of the plugin's own that is not an Exception
        if function in FILE_READERS and isinstance(error, OSError) and error.filename:
            raise  # about a file or folder of the user
        raise contract_error(plugin, function, expected, f"it raised {one_line(error)}") from error


def describe_value(value: object) -> str:
    """Return what a plugin returned, in words: "None", "a list of 3", "a float64 array of 2 x 3"."""
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        array = cast("NDArray[Any]", value)
        return f"a {array.dtype} array of {' x '.join(map(str, array.shape)) or 'no axes'}"
    name = type(value).__name__
    article = "an" if name[0] in "aeiouAEIOU" else "a"
    if isinstance(value, (list, tuple, dict)):
        return f"{article} {name} of {len(cast('Sequence[object]', value))}"
    return f"{article} {name}"


def decode(
    spec: GeneratorSpec,
    arrays: Mapping[str, FloatArray],
    manifest: Manifest,
    names: Sequence[str],
    provenances: Sequence[Provenance],
    settings: Mapping[str, Any],
) -> list[Asset]:
    """Turn a model's outputs into assets, see GeneratorSpec.decode.

    Args:
        spec: The generator.
        arrays: (n, ...) outputs by name.
        manifest: Manifest of the model.
        names: Name of each asset.
        provenances: Origin of each asset.
        settings: Value of each of the generator's settings.

    Returns:
        One asset for each name, in order.
    """
    expected = f"return a list with one asset of kind {spec.asset_kind} for each name"
    arguments = dict(arrays), manifest, list(names), list(provenances), dict(settings)
    returned = call_plugin(spec, "decode", expected, *arguments)
    if not isinstance(returned, (list, tuple)):
        raise contract_error(spec, "decode", expected, f"it returned {describe_value(returned)}")
    assets = cast("Sequence[Any]", returned)
    if len(assets) != len(names):
        raise contract_error(spec, "decode", expected, f"it returned {len(assets)} for {len(names)} names")
    for asset, name in zip(assets, names, strict=True):
        problem = _asset_problem(spec, asset, name)
        if problem:
            raise contract_error(spec, "decode", expected, problem)
    return list(assets)


def _asset_problem(spec: GeneratorSpec, asset: object, name: str) -> str:
    """Return why an object isn't the asset of a name, or ""; assets of the core's kinds are of its classes."""
    cls = ASSET_CLASSES.get(spec.asset_kind)
    if cls is not None and not isinstance(asset, cls):
        return f"it returned {describe_value(asset)} in place of a {cls.__name__}"
    if getattr(asset, "kind", None) != spec.asset_kind or not callable(getattr(asset, "reduced", None)):
        return f"it returned {describe_value(asset)}, which lacks this kind or a method reduced"
    found = getattr(asset, "name", None)
    return "" if found == name else f"it called the asset {name} {found!r}"


def draw_preview(spec: GeneratorSpec, assets: Sequence[Any]) -> bytes:
    """Return a PNG of assets, see GeneratorSpec.preview."""
    expected = "return one PIL image"
    return _encode_png(spec, "preview", expected, call_plugin(spec, "preview", expected, list(assets)))


def draw_snapshot(spec: GeneratorSpec, arrays: Mapping[str, FloatArray], conditions: FloatArray) -> bytes | None:
    """Return a PNG of samples during training, see GeneratorSpec.snapshot; None if there is nothing to show.

    Args:
        spec: The generator.
        arrays: (n, ...) outputs by name.
        conditions: (n, c) physical values.
    """
    expected = "return one PIL image or None"
    image = call_plugin(spec, "snapshot", expected, dict(arrays), conditions.copy())
    return None if image is None else _encode_png(spec, "snapshot", expected, image)


def _encode_png(spec: GeneratorSpec, function: str, expected: str, image: object) -> bytes:
    from PIL import Image

    from .sheets import encode_sheet

    if not isinstance(image, Image.Image) or not all(image.size):
        size = f" of {image.width} x {image.height} pixels" if isinstance(image, Image.Image) else ""
        raise contract_error(spec, function, expected, f"it returned {describe_value(image)}{size}")
    try:
        return encode_sheet(image)
    except (OSError, ValueError) as error:
        raise contract_error(spec, function, expected, f"its image can't be a PNG ({one_line(error)})") from error


def draw_animation(spec: GeneratorSpec, assets: Sequence[Any]) -> bytes | None:
    """Return an animated WebP of assets, see GeneratorSpec.animation; None if the plugin has none or nothing moves."""
    if spec.animation is None:
        return None
    expected = "return the bytes of a WebP file or None"
    content = call_plugin(spec, "animation", expected, list(assets))
    if content is not None and not (isinstance(content, bytes) and content[8:12] == b"WEBP"):
        found = "other bytes" if isinstance(content, bytes) else describe_value(content)
        raise contract_error(spec, "animation", expected, f"it returned {found}")
    return content


def reduce_asset(spec: GeneratorSpec, asset: Any, texels: int) -> Any:
    """Return a smaller version of an asset for a preview with that many texels on the longer side."""
    return call_checked(spec, "decode", "make assets that can be reduced", lambda: asset.reduced(texels))


def make_noise(
    spec: GeneratorSpec,
    seed: int,
    row: FloatArray,
    channels: int,
    size: Sequence[int],
    arrays: Mapping[str, NDArray[Any]] | None = None,
) -> FloatArray:
    """Return the noise map of a seed, see GeneratorSpec.noise.

    Args:
        spec: The generator.
        seed: Seed of the asset.
        row: (c,) physical conditions.
        channels: Number of channels.
        size: Samples along each axis.
        arrays: Arrays that the model file carries; the plugin's function gets them if there are any.

    Returns:
        (channels, *size) float32, finite.
    """
    expected = f"return a finite float32 array of {' x '.join(map(str, (channels, *size)))}"
    extra = (arrays,) if arrays else ()
    returned = call_plugin(spec, "noise", expected, seed, row.copy(), tuple(size), *extra)
    noise = _numeric_array(spec, "noise", expected, returned, (channels, *size))
    if noise.dtype != np.float32:
        raise contract_error(spec, "noise", expected, f"it returned {describe_value(noise)}")
    return noise


def choose_map_size(
    spec: GeneratorSpec, settings: Mapping[str, Any], row: FloatArray, info: NoiseInfo, axes: int
) -> tuple[int, ...]:
    """Return the size of a noise map, see GeneratorSpec.map_size.

    Args:
        spec: The generator.
        settings: Value of each of the generator's settings.
        row: (c,) physical conditions.
        info: The noise map in the manifest.
        axes: Number of axes of the map.

    Returns:
        Samples along each axis, multiples of info.stride.
    """
    expected = f"return {axes} whole number{'s' * (axes > 1)} above 0 that {info.stride} divides"
    returned = call_plugin(spec, "map_size", expected, dict(settings), row.copy(), info)
    if not isinstance(returned, (tuple, list)):
        raise contract_error(spec, "map_size", expected, f"it returned {describe_value(returned)}")
    size = cast("Sequence[Any]", returned)
    if not all(isinstance(side, (int, np.integer)) for side in size):
        raise contract_error(spec, "map_size", expected, f"it returned {describe_value(size)}")
    sides = tuple(map(int, size))
    if len(sides) != axes or any(side <= 0 or side % info.stride for side in sides):
        raise contract_error(spec, "map_size", expected, f"it returned {sides}")
    return sides


def find_features(spec: GeneratorSpec, arrays: Mapping[str, FloatArray], conditions: FloatArray) -> NDArray[np.float64]:
    """Return the numbers by which samples are compared, see GeneratorSpec.features.

    Args:
        spec: The generator.
        arrays: (n, ...) outputs by name.
        conditions: (n, c) physical values.

    Returns:
        (n, k) float64, finite.
    """
    expected = f"return a finite array of {len(conditions)} x k numbers"
    returned = call_plugin(spec, "features", expected, dict(arrays), conditions.copy())
    return _numeric_array(spec, "features", expected, returned, (len(conditions), None)).astype(np.float64)


def measure_assets(spec: GeneratorSpec, assets: Sequence[Any]) -> dict[str, float]:
    """Return the plugin's measures of assets by name, without those that are not finite; see GeneratorSpec.measures."""
    expected = "return a dict of numbers by name"
    returned = call_plugin(spec, "measures", expected, list(assets))
    if not isinstance(returned, Mapping):
        raise contract_error(spec, "measures", expected, f"it returned {describe_value(returned)}")
    measures = cast("Mapping[Any, Any]", returned)
    for name, value in measures.items():
        if not isinstance(name, str) or not isinstance(value, (int, float, np.integer, np.floating)):
            raise contract_error(spec, "measures", expected, f"{_quoted(name)} is {describe_value(value)}")
    return {name: float(value) for name, value in measures.items() if math.isfinite(value)}


def make_baselines(
    spec: GeneratorSpec, preset: Preset, options: Mapping[str, Any], seed: int
) -> dict[str, TrainingData]:
    """Make samples by other methods than a model, see GeneratorSpec.baselines.

    Args:
        spec: The generator.
        preset: Sizes, and number of samples of each method.
        options: Data options by name.
        seed: Random seed.

    Returns:
        Samples by the method's name; none without the function.
    """
    if spec.baselines is None:
        return {}
    expected = "return a dict of TrainingData that fit the generator, by name"
    returned = call_plugin(spec, "baselines", expected, preset, dict(options), seed)
    if not isinstance(returned, Mapping):
        raise contract_error(spec, "baselines", expected, f"it returned {describe_value(returned)}")
    found = cast("Mapping[Any, Any]", returned)
    for name in found:
        if not isinstance(name, str):
            raise contract_error(spec, "baselines", expected, f"{_quoted(name)} is {describe_value(name)}")
    return {name: _check_data(spec, "baselines", expected, data, preset) for name, data in found.items()}


def read_target(spec: GeneratorSpec, file: Path) -> Target:
    """Read a file that `ganassets invert` approximates, see GeneratorSpec.target.

    Raises:
        ContractError: The user's file breaks a promise of the class that it was read into.
        PluginError: The plugin broke its contract.
    """
    expected = "return a Target with finite numbers"
    try:
        target = call_plugin(spec, "target", expected, file)
    except PluginError as error:
        if isinstance(error.__cause__, ContractError):  # caused by the user's file
            raise error.__cause__ from None
        raise
    if not isinstance(target, Target):
        raise contract_error(spec, "target", expected, f"it returned {describe_value(target)}")
    _numeric_array(spec, "target", expected, target.reference, (None,))
    return target


def compare_with_target(spec: GeneratorSpec, target: Target, assets: Sequence[Any]) -> NDArray[np.floating[Any]]:
    """Return the (n, k) numbers of assets that a target compares."""
    expected = f"return a Target whose features give a finite array of {len(assets)} x k numbers"
    returned = call_checked(spec, "target", expected, lambda: target.features(list(assets)))
    return _numeric_array(spec, "target", expected, returned, (len(assets), None))


def measure_target_shares(spec: GeneratorSpec, target: Target, asset: Any) -> dict[str, float]:
    """Return the shares of a target that an asset meets, by name; see Target.shares."""
    if target.shares is None:
        return {}
    shares = target.shares
    expected = "return a Target whose shares are numbers from 0 to 1 by name"
    returned = cast("object", call_checked(spec, "target", expected, lambda: shares(asset)))
    if not isinstance(returned, Mapping):
        raise contract_error(spec, "target", expected, f"it returned {describe_value(returned)}")
    found = cast("Mapping[Any, Any]", returned)
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, (float, np.floating)) or not 0 <= value <= 1:
            raise contract_error(spec, "target", expected, f"{_quoted(name)} is {value!r}")
    return {name: float(value) for name, value in found.items()}


def static_digests(spec: GeneratorSpec) -> dict[str, str]:
    """Return the digests of package data that models depend on, by name; see GeneratorSpec.static_digests."""
    expected = "return a dict of texts by name"
    returned = call_plugin(spec, "static_digests", expected)
    if isinstance(returned, dict):
        digests = cast("dict[Any, Any]", returned)
        if all(isinstance(text, str) for pair in digests.items() for text in pair):
            return digests
    raise contract_error(spec, "static_digests", expected, f"it returned {describe_value(cast('object', returned))}")


def make_dataset(
    spec: GeneratorSpec, preset: Preset, options: Mapping[str, Any], seed: int, report: Callable[[int, int], None]
) -> TrainingData:
    """Make the training samples, see GeneratorSpec.dataset.

    Args:
        spec: The generator.
        preset: Sizes, and number of samples.
        options: Data options by name.
        seed: Random seed.
        report: Called with (done, total).

    Returns:
        Samples without NaN or infinity that fit the spec's conditions and axes.
    """
    expected = "return TrainingData that fit the generator"
    data = call_plugin(spec, "dataset", expected, preset, dict(options), seed, report)
    return _check_data(spec, "dataset", expected, data, preset)


def _check_data(spec: GeneratorSpec, function: str, expected: str, data: object, preset: Preset) -> TrainingData:
    """Return samples that a function of a generator returned; PluginError unless they fit the generator."""
    from .data import TrainingData
    from .data.checks import data_problem

    if not isinstance(data, TrainingData):
        raise contract_error(spec, function, expected, f"it returned {describe_value(data)}")
    problem = data_problem(data, spec.conditions, axes=len(spec.wraps), z_dim=preset.z_dim)
    if problem:
        raise contract_error(spec, function, expected, problem)
    return data


def export_asset(exporter: Exporter, asset: Any, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the content of an asset's files by name, see Exporter.export.

    Args:
        exporter: The format.
        asset: An asset of a kind that the exporter takes.
        options: Value of every option by name.
    """
    expected = "return a dict of bytes by file name"
    returned = call_plugin(exporter, "export", expected, asset, dict(options))
    if not isinstance(returned, dict) or not returned:
        raise contract_error(exporter, "export", expected, f"it returned {describe_value(cast('object', returned))}")
    files = cast("dict[Any, Any]", returned)
    for name, content in files.items():
        if not isinstance(name, str) or not isinstance(content, bytes):
            raise contract_error(exporter, "export", expected, f"{_quoted(name)} is {describe_value(content)}")
    try:
        check_names(files)
    except InputError as error:
        raise contract_error(exporter, "export", "name files that every system takes", str(error)) from error
    for name in files:
        if asset.name not in stems_of(name):  # or two assets could have one file
            raise contract_error(exporter, "export", f"name files after {asset.name}", f"it called one {_quoted(name)}")
    return files


def _quoted(name: object) -> str:
    text = repr(name)
    return text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}..."


def _numeric_array(
    plugin: Plugin, function: str, expected: str, value: object, shape: tuple[int | None, ...]
) -> NDArray[Any]:
    """Return a value as an array; PluginError unless it is one of finite numbers and that shape (None: any length)."""
    if not isinstance(value, np.ndarray):
        raise contract_error(plugin, function, expected, f"it returned {describe_value(value)}")
    array = cast("NDArray[Any]", value)
    fits = len(shape) == array.ndim and all(
        size in (None, length) for size, length in zip(shape, array.shape, strict=True)
    )
    if array.dtype.kind not in "fiu" or not fits:
        raise contract_error(plugin, function, expected, f"it returned {describe_value(array)}")
    if not np.isfinite(array).all():
        raise contract_error(plugin, function, expected, "it returned numbers that are not finite")
    return array
