"""Export a run's averaged generator as one plain ONNX file with its manifest, and compare it with torch."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pydantic import TypeAdapter
from torch import Tensor

from .. import __version__
from ..api.conditions import Condition
from ..api.errors import GanassetsError, InputError
from ..api.latents import latents
from ..api.manifest import (
    METADATA_KEY,
    SHARED_KEY,
    DataInfo,
    Manifest,
    NoiseInfo,
    Parity,
    TrainingInfo,
    WStatistics,
)
from ..api.model_arrays import ARRAYS_KEY, pack_arrays
from ..api.plugin_calls import static_digests
from ..api.spec import GeneratorSpec
from ..api.writer import write_atomic
from ..inference.model import W_OFFSET, W
from .checkpoint import BEST, load_checkpoint, load_fit, named_checkpoint, newest_checkpoint
from .data_card import read_card
from .lock import write_in_run
from .networks import BaseGenerator, load_parameters, make_networks
from .plugin_domain import make_domain
from .run_folder import CHECKPOINTS, CONFIG, LINEAR, MODEL
from .settings import RunSettings, read_settings

if TYPE_CHECKING:
    import onnx
    import onnxruntime
    from rich.console import Console

OPSET = 18
PARITY_LATENTS = 256
PARITY_BATCHES = (1, 3, 17)
# Coarsest cells along the axes of the noise map in the check of a size-free generator.
PARITY_CELLS = (3, 4)
# Largest difference between ONNX Runtime and torch.
TOLERANCE = 1e-4
# First seed of the check, far from the seeds that users take.
PARITY_SEED = 10**12
# Number of latents that the statistics of w are computed from.
W_SAMPLES = 4096


def export_run(
    spec: GeneratorSpec,
    run: Path,
    out: Path | None,
    console: Console,
    facts: Mapping[str, str] | None = None,
    best: bool = False,
) -> Path:
    """Write a run's model file and return its path.

    Args:
        spec: Generator of the run.
        run: Folder of the run.
        out: File to write; None for model.onnx in the run folder.
        console: Where progress is printed.
        facts: "licence" and "source" of the data, if they replace those in the run's data.json.
        best: Export the checkpoint that measured nearest to the data instead of the newest.

    Raises:
        InputError: The run has no such checkpoint, its files are damaged, or the generator has other sliders.
        GanassetsError: The exported model computes other numbers than torch.
    """
    settings = read_settings(run / CONFIG)
    generator, rows, numbers = load_generator(spec, run, settings, best)
    console.print(f"exporting {run} at {numbers['images']} images")
    proto = to_onnx(generator)
    parity = measure_parity(generator, proto.SerializeToString(), rows)
    worst = max(parity.max_abs_difference.values())
    if not worst <= TOLERANCE:
        raise GanassetsError(f"the exported model differs from torch by {worst:.2g}, more than {TOLERANCE:.0e}.")
    manifest = make_manifest(spec, settings, generator, rows, read_card(run) | dict(facts or {}), numbers, parity)
    proto.metadata_props.add(key=METADATA_KEY, value=manifest.model_dump_json())
    arrays = generator.domain.model_arrays()
    if arrays:
        proto.metadata_props.add(key=ARRAYS_KEY, value=pack_arrays(arrays))
    proto.metadata_props.add(key=SHARED_KEY, value=json.dumps(shared_parameters(generator, proto)))
    path, write = (out, write_atomic) if out else (run / MODEL, write_in_run)
    write(path, serialize_checked(proto))
    console.print(
        f"{path}: {path.stat().st_size / 1e6:.1f} MB, opset {OPSET}, differs from torch by at most {worst:.1e}",
        soft_wrap=True,
    )
    return path


def load_generator(
    spec: GeneratorSpec, run: Path, settings: RunSettings, best: bool = False
) -> tuple[BaseGenerator, np.ndarray, dict]:
    """Load the averaged generator of a run's newest or best checkpoint, with condition rows and checkpoint numbers."""
    fit, rows, _ = load_fit(run / LINEAR)
    if rows.shape[1] != sum(condition.width for condition in conditions_of_card(spec, read_card(run))):
        raise InputError(f"{run} has other sliders than {spec.name} {spec.version}; train again.")
    checkpoints = run / CHECKPOINTS
    tensors, numbers = load_checkpoint(named_checkpoint(checkpoints, BEST) if best else newest_checkpoint(checkpoints))
    preset = settings.preset
    generator, _ = make_networks(preset, make_domain(spec, preset, fit), rows.shape[1], spec.networks)
    generator.eval().requires_grad_(False)
    load_parameters(generator, tensors, "average.")
    return generator, rows, numbers


def example_inputs(generator: BaseGenerator, rows: np.ndarray, count: int) -> tuple[Tensor, ...]:
    """Return graph inputs: `count` fixed latents, conditions of the data, truncation 0.9 and small offsets of w."""
    z = torch.from_numpy(latents(range(PARITY_SEED, PARITY_SEED + count), generator.settings.z_dim))
    condition = torch.from_numpy(np.resize(rows, (count, rows.shape[1])))
    offset = torch.randn(count, generator.layers, generator.full_w_dim, generator=torch.Generator().manual_seed(0))
    inputs = (z, condition, torch.full((1,), 0.9), 0.1 * offset)
    domain = generator.domain
    if domain.size is not None:
        return inputs
    size = [domain.stride * cells for cells in PARITY_CELLS[: len(domain.wraps)]]
    noise = torch.randn(count, domain.noise_channels, *size, generator=torch.Generator().manual_seed(1))
    return (*inputs, noise)


def to_onnx(generator: BaseGenerator) -> onnx.ModelProto:
    """Export a generator's graph with the operators of ONNX's default domain.

    The batch is dynamic; the size of a size-free generator's noise map too.
    """
    batch = torch.export.Dim("n")
    by_batch = {0: batch}
    shapes: list[Any] = [by_batch, by_batch, None, by_batch]
    names = ["z", "condition", "truncation", W_OFFSET]
    if generator.domain.size is None:
        stride = generator.domain.stride
        axes = {2 + i: stride * torch.export.Dim(f"cells_{i}", min=1) for i in range(len(generator.domain.wraps))}
        shapes.append({0: batch, **axes})
        names.append("noise")
    rows = generator.domain.condition_mean.cpu().numpy()[None]
    inputs = example_inputs(generator, rows, 2)
    outputs = list(generator(*inputs))
    with warnings.catch_warnings(), quiet_logging():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            generator,
            inputs,
            dynamo=True,
            opset_version=OPSET,
            dynamic_shapes=tuple(shapes),
            input_names=names,
            output_names=outputs,
            verbose=False,
        )
    assert program is not None
    proto = program.model_proto
    remove_metadata(proto)
    expose_w(proto, generator.full_w_dim)
    proto.producer_name, proto.producer_version = "ganassets", __version__
    return proto


def remove_metadata(proto: onnx.ModelProto) -> None:
    """Remove the exporter's metadata, and attributes that keep ONNX's version converter from older opsets."""
    proto.ClearField("metadata_props")
    for node in proto.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
        # It has its default value, but the converter can't go below opset 18 when it is written out.
        kept = [a for a in node.attribute if not (a.name == "noop_with_empty_axes" and a.i == 0)]
        del node.attribute[:]
        node.attribute.extend(kept)
    for value in (*proto.graph.value_info, *proto.graph.initializer, *proto.graph.input, *proto.graph.output):
        value.ClearField("metadata_props")
    proto.graph.ClearField("metadata_props")


def expose_w(proto: onnx.ModelProto, width: int) -> None:
    """Make w before its offset an output, (n, width), for style mixing, sliders and inversion.

    Args:
        proto: Graph in which w is added to w_offset after one Unsqueeze.
        width: Length of w.
    """
    from onnx import TensorProto, helper

    graph = proto.graph
    total = next(node for node in graph.node if node.op_type == "Add" and W_OFFSET in node.input)
    layered = next(name for name in total.input if name != W_OFFSET)
    w = next(node for node in graph.node if layered in node.output).input[0]
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [W if name == w else name for name in names]
    kept = [value for value in graph.value_info if value.name != w]
    del graph.value_info[:]
    graph.value_info.extend(kept)
    graph.output.append(helper.make_tensor_value_info(W, TensorProto.FLOAT, ["n", width]))


@contextmanager
def quiet_logging() -> Iterator[None]:
    """Silence the exporter's logging; when it fails, it raises an error as well."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def shared_parameters(generator: BaseGenerator, proto: onnx.ModelProto) -> dict[str, str]:
    """Return the parameters that the exporter left out, by name.

    The value is the name of an initializer with the same numbers, or "" for zeros.
    """
    from onnx import numpy_helper

    kept = {one.name: numpy_helper.to_array(one) for one in proto.graph.initializer}
    shared = {}
    for name, parameter in generator.named_parameters():
        if name not in kept:
            array = parameter.detach().numpy()
            equal = [other for other, numbers in kept.items() if np.array_equal(numbers, array)]
            if equal or not array.any():
                shared[name] = equal[0] if equal else ""
    return shared


def serialize_checked(proto: onnx.ModelProto) -> bytes:
    """Return a model's bytes after ONNX's full check with shape inference; GanassetsError for foreign operators."""
    import onnx

    onnx.checker.check_model(proto, full_check=True)
    foreign = {entry.domain for entry in proto.opset_import} - {"", "ai.onnx"}
    if foreign or proto.functions:
        raise GanassetsError(f"the exported model uses operators outside the default domain: {sorted(foreign)}.")
    return proto.SerializeToString()


def measure_parity(generator: BaseGenerator, content: bytes, rows: np.ndarray) -> Parity:
    """Measure the largest difference between ONNX Runtime and torch by output, in batches of several sizes."""
    session = open_session(content)
    inputs = example_inputs(generator, rows, PARITY_LATENTS)
    worst: dict[str, float] = {}
    for batch in PARITY_BATCHES:
        for i in range(0, PARITY_LATENTS, batch):
            found = measure_differences(
                generator, session, [t if t.shape == (1,) else t[i : i + batch] for t in inputs]
            )
            worst = {name: max(worst.get(name, 0.0), difference) for name, difference in found.items()}
    return Parity(latents=PARITY_LATENTS, batches=PARITY_BATCHES, max_abs_difference=worst)


def open_session(content: bytes) -> onnxruntime.InferenceSession:
    """Open an ONNX Runtime session on the CPU."""
    import onnxruntime

    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])


def measure_differences(
    generator: BaseGenerator, session: onnxruntime.InferenceSession, inputs: Sequence[Tensor]
) -> dict[str, float]:
    """Return the largest difference between ONNX Runtime and torch for some inputs, by output.

    Raises:
        GanassetsError: An output has different shapes, or numbers that are not finite.
    """
    names = [item.name for item in session.get_inputs()]
    outputs = [item.name for item in session.get_outputs() if item.name != W]
    with torch.no_grad():
        expected = generator(*inputs)
    found = session.run(outputs, {name: tensor.numpy() for name, tensor in zip(names, inputs, strict=True)})
    worst: dict[str, float] = {}
    for name, array in zip(outputs, found, strict=True):
        pair = {"torch": expected[name].numpy(), "onnxruntime": np.asarray(array)}
        for runtime, values in pair.items():
            if not np.isfinite(values).all():  # no difference to NaN is ever too large
                raise GanassetsError(
                    f"the generator makes {name} with numbers that are not finite in {runtime}; export an earlier "
                    "checkpoint with --best, or train again."
                )
        if pair["torch"].shape != pair["onnxruntime"].shape:
            raise GanassetsError(f"the exported model gives {name} another shape than torch does.")
        worst[name] = float(np.abs(pair["torch"] - pair["onnxruntime"]).max(initial=0.0))
    return worst


def w_statistics(generator: BaseGenerator, rows: np.ndarray, count: int = W_SAMPLES) -> WStatistics:
    """Compute mean and standard deviation of w over seeds and the data's conditions."""
    z = torch.from_numpy(latents(range(PARITY_SEED, PARITY_SEED + count), generator.settings.z_dim))
    condition = generator.domain.standardise(torch.from_numpy(np.resize(rows, (count, rows.shape[1]))))
    with torch.no_grad():
        w = generator.mapping(z, condition, torch.ones(1))

    def to_numbers(vector: Tensor) -> tuple[float, ...]:
        return tuple(round(float(v), 6) for v in vector)

    return WStatistics(mean=to_numbers(w.mean(0)), std=to_numbers(w.std(0)))


def noise_info(generator: BaseGenerator) -> NoiseInfo | None:
    """Describe the noise map for the manifest; None when the generator has a fixed size."""
    domain = generator.domain
    if domain.size is not None:
        return None
    return NoiseInfo(
        channels=domain.noise_channels, stride=domain.stride, reach=generator.reach, size=domain.network_size
    )


def conditions_of_card(spec: GeneratorSpec, card: Mapping[str, Any]) -> tuple[Condition, ...]:
    """Return the conditions of the data if its card has any, else those of the spec."""
    named = card.get("conditions")
    return spec.conditions if named is None else TypeAdapter(tuple[Condition, ...]).validate_python(named)


def make_manifest(
    spec: GeneratorSpec,
    settings: RunSettings,
    generator: BaseGenerator,
    rows: np.ndarray,
    card: dict[str, Any],
    numbers: dict[str, Any],
    parity: Parity,
) -> Manifest:
    """Build the manifest of a model file."""
    return Manifest(
        generator=spec.name,
        generator_version=spec.version,
        software=f"ganassets {__version__}",
        z_dim=generator.settings.z_dim,
        w_dim=generator.full_w_dim,
        layers=generator.layers,
        outputs=spec.outputs,
        conditions=conditions_of_card(spec, card),
        condition_rows=tuple(tuple(round(float(v), 5) for v in row) for row in rows),
        w_statistics=w_statistics(generator, rows),
        noise=noise_info(generator),
        static_digests=static_digests(spec),
        data=DataInfo(name=card["name"], licence=card["licence"], samples=card["samples"], source=card["source"]),
        training=TrainingInfo(
            preset=settings.preset.name,
            objective=settings.objective,
            kimg=numbers["images"] / 1000,
            seconds=round(numbers.get("seconds", 0.0), 1),
            seed=settings.seed,
            device=settings.hardware.device,
        ),
        parity=parity,
        licence=card["licence"],
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
