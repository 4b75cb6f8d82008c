"""Check, open and run model files. Needs only numpy, pydantic and onnxruntime."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import io
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..api.errors import GanassetsError, InputError, one_line
from ..api.files import open_regular, read_up_to
from ..api.manifest import MAX_BYTES, METADATA_KEY, Manifest, parse_manifest
from ..api.model_arrays import ARRAYS_KEY, MAX_ARRAY_BYTES, unpack_arrays
from ..api.plugin_calls import static_digests
from .callbacks import ignore
from .onnx_scan import DEFAULT_DOMAINS, MalformedError, scan

if TYPE_CHECKING:
    from ..api.spec import GeneratorSpec

FloatArray = NDArray[np.float32]

MAX_FILE_BYTES = 2 * 1024**3
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
W, W_OFFSET = "w", "w_offset"  # names in the graph
SILENT = 4  # onnxruntime's log level "fatal"; errors are reported by exceptions


@dataclass(frozen=True, eq=False)
class ModelFile:
    """A model file that was read and checked; its network was not opened.

    Attributes:
        path: Path of the file.
        manifest: Metadata of the model.
        digest: SHA-256 of the file, hex.
    """

    path: Path
    manifest: Manifest
    digest: str


@dataclass(frozen=True, eq=False)
class Model(ModelFile):
    """A model file whose network is open.

    Attributes:
        providers: Execution providers of onnxruntime in use; the first one does the work.
        session: Onnxruntime's session.
    """

    providers: tuple[str, ...]
    session: Any = field(repr=False)

    def run(
        self,
        z: FloatArray,
        condition: FloatArray,
        truncation: float = 1.0,
        w_offset: FloatArray | None = None,
        noise: FloatArray | None = None,
    ) -> dict[str, FloatArray]:
        """Run the network; its outputs have physical units and ranges.

        Args:
            z: (n, z_dim) float32 latents.
            condition: (n, c) float32 physical values, columns as in the manifest's conditions.
            truncation: 0 (the average) to 1 (the full variety).
            w_offset: (n, layers, w_dim) float32 added to w, or None for zeros.
            noise: (n, channels, *size) float32 noise map of a size-free model; every side is a multiple of the
                manifest's stride.

        Returns:
            Arrays (n, ...) float32 by the manifest's output names.
        """
        manifest, n = self.manifest, len(z)
        if w_offset is None:
            w_offset = np.zeros((n, manifest.layers, manifest.w_dim), np.float32)
        feeds = {
            "z": z,
            "condition": condition,
            "truncation": np.array([truncation], np.float32),
            W_OFFSET: w_offset,
        }
        if noise is not None:
            feeds["noise"] = noise
        self._check_feeds(feeds, n)
        return self._fetch([output.name for output in manifest.outputs], feeds)

    def w(self, z: FloatArray, condition: FloatArray, truncation: float = 1.0) -> FloatArray:
        """Compute w before any offset; only the mapping network runs.

        Args:
            z: (n, z_dim) float32 latents.
            condition: (n, c) float32 physical values.
            truncation: 0 to 1.

        Returns:
            (n, w_dim) float32.

        Raises:
            InputError: The model has no output `w`.
        """
        if W not in {node.name for node in self.session.get_outputs()}:
            raise InputError(f"{self.path} has no output `w`; export its run again to use mix, sliders and invert.")
        manifest, n = self.manifest, len(z)
        feeds = {
            "z": z,
            "condition": condition,
            "truncation": np.array([truncation], np.float32),
            W_OFFSET: np.zeros((n, manifest.layers, manifest.w_dim), np.float32),
        }
        if manifest.noise:
            smallest = [manifest.noise.stride] * noise_axes(manifest)
            feeds["noise"] = np.zeros((n, manifest.noise.channels, *smallest), np.float32)
        self._check_feeds(feeds, n)
        return self._fetch([W], feeds, only_path=True)[W]

    def _fetch(
        self, names: list[str], feeds: Mapping[str, FloatArray], only_path: bool = False
    ) -> dict[str, FloatArray]:
        """Compute outputs by name; `only_path` computes nothing that they don't need."""
        import onnxruntime

        options = onnxruntime.RunOptions()
        options.only_execute_path_to_fetches = only_path
        try:
            if self.providers[0] == CPU:
                arrays = self.session.run(names, feeds, options)
            else:
                arrays = self._run_bound(names, feeds, options)
        except Exception as error:  # onnxruntime's errors have no common class
            raise GanassetsError(f"{self.path} can't be run: {one_line(error)}.") from error
        return dict(zip(names, arrays, strict=True))

    def _run_bound(self, names: list[str], feeds: Mapping[str, FloatArray], options: Any) -> list[FloatArray]:
        """Run with a binding: inputs are copied to the device once, and only the named outputs are copied back."""
        binding = self.session.io_binding()
        for name, array in feeds.items():
            binding.bind_cpu_input(name, np.ascontiguousarray(array))
        for name in names:
            binding.bind_output(name, "cpu")
        self.session.run_with_iobinding(binding, options)
        return binding.copy_outputs_to_cpu()

    def _check_feeds(self, feeds: Mapping[str, FloatArray], n: int) -> None:
        """Raise InputError unless all inputs are given, for n samples."""
        shapes, noise = input_shapes(self.manifest), self.manifest.noise
        if feeds.keys() != shapes.keys():
            raise InputError("the model needs a noise map." if noise else "the model takes no noise map.")
        for name, (_, *rest) in shapes.items():
            found = feeds[name].shape
            expected = (1 if name == "truncation" else n, *rest)
            fits = len(found) == len(expected) and all(
                e is None or e == f for e, f in zip(expected, found, strict=True)
            )
            if not fits:
                raise InputError(f"{name} must have shape {describe_shape(expected)}, not {describe_shape(found)}.")
        if noise and any(side % noise.stride or not side for side in feeds["noise"].shape[2:]):
            raise InputError(f"every side of the noise map must be a multiple of {noise.stride}.")


def open_model(
    path: str | Path,
    providers: Sequence[str] | None = None,
    threads: int | None = None,
    report: Callable[[str], None] = ignore,
) -> Model:
    """Check a model file completely and open its network.

    Args:
        path: Path of the .onnx file.
        providers: Execution providers of onnxruntime; by default CUDA where a device works, else the CPU.
        threads: CPU threads of one operator; by default onnxruntime chooses.
        report: Called with a sentence when a device could not be used.

    Raises:
        InputError: The file is missing, incomplete, not from ganassets, unsafe or inconsistent.
    """
    path = Path(path)
    data = read_model_file(path)
    manifest = read_manifest(data, path)
    session = _open_session(data, path, providers, threads, report)
    try:
        _check_signature(session, manifest, path)
    except UnicodeDecodeError as error:  # onnxruntime returns names as they are in the file
        raise InputError(f"{path} has names that are not text; copy or export it again.") from error
    return Model(path, manifest, hashlib.sha256(data).hexdigest(), tuple(session.get_providers()), session)


def inspect_model(path: str | Path) -> ModelFile:
    """Read a model file and check all that can be checked without opening its network.

    Raises:
        InputError: The file is missing, incomplete, not from ganassets or unsafe.
    """
    path = Path(path)
    data = read_model_file(path)
    return ModelFile(path, read_manifest(data, path), hashlib.sha256(data).hexdigest())


def read_model_file(path: Path) -> bytes:
    """Read the bytes of a model file; InputError unless it can be read and has a plausible size."""
    advice = "give the path of a .onnx file made by `ganassets export`."
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size  # checked first: a larger file would fill the memory
            data = read_up_to(file, MAX_FILE_BYTES + 1) if size <= MAX_FILE_BYTES else b""
    except IsADirectoryError as error:
        raise InputError(f"{path} is a folder, not a model file; {advice}") from error
    except FileNotFoundError as error:
        raise InputError(f"{path} is not there; {advice}") from error
    except OSError as error:
        raise InputError(f"{path} can't be read ({str(error.strerror).lower()}); {advice}") from error
    if max(size, len(data)) > MAX_FILE_BYTES or not data:
        raise InputError(f"{path} {'is larger than 2 GB' if size else 'is empty'}; it can't be a model.")
    return data


def read_manifest(data: bytes, path: Path) -> Manifest:
    """Read the manifest of a model file and check that the file is plain, self-contained ONNX.

    Args:
        data: Content of the whole file.
        path: Path of the file, for error messages.

    Raises:
        InputError: The file is incomplete, not from ganassets or unsafe.
    """
    try:
        found = scan(data)
    except MalformedError as error:
        raise InputError(
            f"{path} is not a whole ONNX file ({str(error).rstrip('.')}); copy or export it again."
        ) from error
    if found.graphs != 1 or not found.ir_versions or not found.opsets:
        raise InputError(f"{path} is not a whole ONNX file (it holds no network); copy or export it again.")
    if found.external or found.data_locations - {0}:
        raise InputError(f"{path} keeps weights in other files, which is not supported; export it as a single file.")
    foreign = sorted(found.domains.difference(DEFAULT_DOMAINS))
    if foreign:
        raise InputError(f"{path} uses operators of {foreign[0]!r}; only standard ONNX operators are allowed.")
    if METADATA_KEY not in found.metadata:
        raise InputError(f"{path} was not made by ganassets: it carries no manifest; export a trained run instead.")
    try:
        text = bytes(found.metadata[METADATA_KEY][: MAX_BYTES + 1]).decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} carries a manifest that is not text; copy or export it again.") from error
    manifest = parse_manifest(text, str(path))
    return manifest if ARRAYS_KEY not in found.metadata else add_arrays(manifest, found.metadata[ARRAYS_KEY], path)


def add_arrays(manifest: Manifest, content: memoryview, path: Path) -> Manifest:
    """Return the manifest with the arrays that the file carries beside it."""
    if len(content) > MAX_ARRAY_BYTES:
        raise InputError(f"{path} carries arrays larger than {MAX_ARRAY_BYTES // 2**20} MB.")
    arrays = unpack_arrays(bytes(content).decode("ascii", "replace"), str(path))
    return manifest.model_copy(update={"arrays": arrays})


def input_shapes(manifest: Manifest) -> dict[str, tuple[int | None, ...]]:
    """Return the shape of each input of the graph; None stands for the batch and for free sizes."""
    noise = manifest.noise
    free = {"noise": (None, noise.channels, *[None] * noise_axes(manifest))} if noise else {}
    return {
        "z": (None, manifest.z_dim),
        "condition": (None, manifest.condition_width),
        "truncation": (1,),
        "w_offset": (None, manifest.layers, manifest.w_dim),
        **free,
    }


def noise_axes(manifest: Manifest) -> int:
    """Return how many axes a noise map has after its channels: as many as the largest output."""
    return max(len(output.axes) for output in manifest.outputs) - 1


def describe_shape(shape: Sequence[int | None]) -> str:
    """Write a shape as in "any x 12 x 64"."""
    return " x ".join("any" if size is None else str(size) for size in shape)


def check_generator(model: ModelFile, spec: GeneratorSpec) -> None:
    """Raise InputError unless the installed plugin can decode the model's outputs, by versions and shapes."""
    manifest = model.manifest
    if manifest.generator != spec.name:
        raise InputError(f"{model.path} is a model of {manifest.generator!r}, not of {spec.name!r}.")
    made, here = version_of(manifest.generator_version), version_of(spec.version)
    if made and here and made[0] != here[0]:
        raise InputError(
            f"{model.path} was made by {spec.name} {manifest.generator_version}, which {spec.name} {spec.version} "
            f"can't decode; install {spec.name} {made[0]} or train again."
        )
    made = [(output.name, tuple(output.axes)) for output in manifest.outputs]
    if made != [(output.name, tuple(output.axes)) for output in spec.outputs]:
        raise InputError(
            f"{model.path} makes {', '.join(name for name, _ in made)}, which {spec.name} {spec.version} can't decode; "
            f"{suggest_remedy(manifest, spec)}"
        )
    columns = [[condition.columns for condition in conditions] for conditions in (manifest.conditions, spec.conditions)]
    # The plugin makes noise maps from the conditions; a model that carries arrays brings its own conditions, too.
    if spec.noise and columns[0] != columns[1] and not manifest.arrays:
        raise InputError(
            f"{model.path} has other sliders than {spec.name} {spec.version}; {suggest_remedy(manifest, spec)}"
        )
    here = static_digests(spec)
    for name in sorted(here.keys() | manifest.static_digests.keys()):
        if here.get(name) != manifest.static_digests.get(name):
            raise InputError(
                f"{model.path} was made with another version of the {spec.name} plugin's {name}; "
                f"{suggest_remedy(manifest, spec)}"
            )


def suggest_remedy(manifest: Manifest, spec: GeneratorSpec) -> str:
    """Say how to get a model that the installed plugin can decode."""
    older = f"install {spec.name} {manifest.generator_version} or "
    return f"{older if manifest.generator_version != spec.version else ''}train again."


def version_of(text: str) -> tuple[int, int] | None:
    """Parse the major and minor version of a plugin; None where the text names none."""
    match = re.match(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?(?![0-9])", text)
    return (int(match[1]), int(match[2] or 0)) if match else None


def version_note(manifest: Manifest, spec: GeneratorSpec) -> str:
    """Warn where a model was made by another version of its plugin, whose assets may look different.

    A plugin's major version says which models it can decode (see check_generator). A newer minor version decodes older
    models as before; an older one may decode newer models differently.

    Returns:
        A sentence, or "" without such a difference.
    """
    made, here = version_of(manifest.generator_version), version_of(spec.version)
    older = made is not None and here is not None and here < made
    unlike = (made is None or here is None) and manifest.generator_version != spec.version
    if not older and not unlike:
        return ""
    return (
        f"The model was made by {spec.name} {manifest.generator_version}, and {spec.version} is installed: "
        "assets may look different."
    )


def cuda_devices() -> int:
    """Count the CUDA devices of the driver; 0 without a driver. Loads no other library of CUDA."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        count = ctypes.c_int(0)
        return count.value if driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 else 0
    except (OSError, AttributeError):
        return 0


def has_cuda() -> bool:
    """Return whether there is a CUDA device that onnxruntime may be able to use."""
    if not cuda_devices():
        return False
    import onnxruntime

    return CUDA in onnxruntime.get_available_providers()


def _open_session(
    data: bytes, path: Path, providers: Sequence[str] | None, threads: int | None, report: Callable[[str], None]
) -> Any:
    import onnxruntime

    onnxruntime.set_default_logger_severity(SILENT)
    available = onnxruntime.get_available_providers()
    if providers is None and CUDA in available and cuda_devices():
        try:
            if hasattr(onnxruntime, "preload_dlls"):  # since 1.21
                with contextlib.redirect_stdout(io.StringIO()):  # it prints what is missing
                    onnxruntime.preload_dlls()
            session = _create_session(data, [CUDA, CPU], threads)
            if CUDA in session.get_providers():
                return session
            reason = "its libraries could not be loaded"
        except Exception as error:
            reason = one_line(error)
        report(f"The CPU is used, because onnxruntime can't use the CUDA device: {reason}.")
    unknown = set(providers or ()).difference(available)
    if unknown:
        raise InputError(f"onnxruntime has no {sorted(unknown)[0]} here; it has {', '.join(available)}.")
    try:
        return _create_session(data, list(providers or [CPU]), threads)
    except Exception as error:  # onnxruntime's errors have no common class
        raise InputError(f"{path} can't be opened: {one_line(error)}.") from error


def _create_session(data: bytes, providers: list[str], threads: int | None) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = SILENT
    # Otherwise onnxruntime would accept files in its own format, which the checks don't cover.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    if threads:
        options.intra_op_num_threads = threads
    # The fallback would print to standard output and retry silently.
    return onnxruntime.InferenceSession(data, options, providers=providers, enable_fallback=0, read_config_from_model=0)


def _check_signature(session: Any, manifest: Manifest, path: Path) -> None:
    """Raise InputError unless the graph's inputs and outputs are those of the manifest."""
    shapes: Mapping[str, tuple[int | None, ...]] = input_shapes(manifest)
    inputs = {node.name: node for node in session.get_inputs()}
    outputs = {node.name: node for node in session.get_outputs()}
    names = {output.name for output in manifest.outputs}
    if inputs.keys() != shapes.keys() or outputs.keys() - {W} != names:
        raise InputError(
            f"{path} has the inputs {', '.join(inputs)} and outputs {', '.join(outputs)}; "
            f"its manifest has {', '.join(shapes)} and {', '.join(sorted(names))}."
        )
    for name, shape in shapes.items():
        _check_port(inputs[name], shape, path)
    for output in manifest.outputs:
        _check_port(outputs[output.name], (None,) * (1 + len(output.axes)), path, batch_only=True)
    if W in outputs:
        _check_port(outputs[W], (None, manifest.w_dim), path)


def _check_port(node: Any, shape: tuple[int | None, ...], path: Path, batch_only: bool = False) -> None:
    """Raise InputError unless an input or output is float32 with these sizes and a free batch axis."""
    found = tuple(size if isinstance(size, int) else None for size in node.shape)
    fits = len(found) == len(shape) and (found[0] is None if batch_only else found == shape)
    if node.type != "tensor(float)" or not fits:
        raise InputError(
            f"{path}: {node.name} is {node.type} {describe_shape(found)}, "
            f"it must be tensor(float) {describe_shape(shape)}."
        )
