"""A run's averaged generator as one plain ONNX file that carries its manifest, checked against torch."""

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
from ..api.errors import GanassetsError
from ..api.files import read_text
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
from ..api.plugin_calls import static_digests
from ..api.spec import GeneratorSpec
from ..api.writer import write_atomic
from ..inference.model import W_OFFSET, W
from .checkpoint import BEST, checkpoint_named, load_checkpoint, load_fit, newest_checkpoint
from .checks import make_domain
from .lock import write_in_run
from .networks import BaseGenerator, make_networks
from .settings import MAX_CARD_BYTES, RunSettings, read_settings
from .trainer import load_parameters

if TYPE_CHECKING:
    import onnx
    import onnxruntime
    from rich.console import Console

OPSET = 18
PARITY_LATENTS = 256
PARITY_BATCHES = (1, 3, 17)
PARITY_CELLS = (3, 4)  # of the noise map of a size-free generator
TOLERANCE = 1e-4
# Seeds of the check lie where no user's are likely to.
PARITY_SEED = 10**12


def export_run(
    spec: GeneratorSpec,
    run: Path,
    out: Path | None,
    console: Console,
    facts: Mapping[str, str] | None = None,
    best: bool = False,
) -> Path:
    """Write a run's model file; returns its path (default: model.onnx in the run folder).

    Args:
        spec: the run's generator.
        run: its folder.
        out: the file, or None.
        console: for progress.
        facts: "licence" and "source" of the data, where the user says them better than the run's data.json.
        best: take the checkpoint that came nearest to the data instead of the newest.
    """
    settings = read_settings(run / "config.toml")
    generator, rows, numbers = load_generator(spec, run, settings, best)
    console.print(f"exporting {run} at {numbers['images']} images")
    proto = to_onnx(generator)
    parity = measure_parity(generator, proto.SerializeToString(), rows)
    worst = max(parity.max_abs_difference.values())
    if not worst <= TOLERANCE:
        raise GanassetsError(f"the exported model differs from torch by {worst:.2g}, more than {TOLERANCE:.0e}.")
    manifest = make_manifest(spec, settings, generator, rows, read_card(run) | dict(facts or {}), numbers, parity)
    proto.metadata_props.add(key=METADATA_KEY, value=manifest.model_dump_json())
    proto.metadata_props.add(key=SHARED_KEY, value=json.dumps(shared_parameters(generator, proto)))
    path, write = (out, write_atomic) if out else (run / "model.onnx", write_in_run)
    write(path, check(proto))
    console.print(
        f"{path}: {path.stat().st_size / 1e6:.1f} MB, opset {OPSET}, differs from torch by at most {worst:.1e}",
        soft_wrap=True,
    )
    return path


def load_generator(
    spec: GeneratorSpec, run: Path, settings: RunSettings, best: bool = False
) -> tuple[BaseGenerator, np.ndarray, dict]:
    """The averaged generator of a run's newest or best checkpoint, its condition rows and the checkpoint's numbers."""
    fit, rows, _ = load_fit(run / "linear.safetensors")
    checkpoints = run / "checkpoints"
    tensors, numbers = load_checkpoint(checkpoint_named(checkpoints, BEST) if best else newest_checkpoint(checkpoints))
    preset = settings.preset
    generator, _ = make_networks(preset, make_domain(spec, preset, fit), rows.shape[1], spec.networks)
    generator.eval().requires_grad_(False)
    load_parameters(generator, tensors, "average.")
    return generator, rows, numbers


def example_inputs(generator: BaseGenerator, rows: np.ndarray, count: int) -> tuple[Tensor, ...]:
    """Graph inputs of `count` fixed latents under conditions of the data, at truncation 0.9 with small offsets."""
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
    """The graph: dynamic batch (and dynamic noise size where the generator is size-free), default-domain operators."""
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
    proto.ClearField("metadata_props")
    for node in proto.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
        # Written out though it has its default, it would keep onnx' version converter from going below opset 18.
        kept = [a for a in node.attribute if not (a.name == "noop_with_empty_axes" and a.i == 0)]
        del node.attribute[:]
        node.attribute.extend(kept)
    for value in (*proto.graph.value_info, *proto.graph.initializer, *proto.graph.input, *proto.graph.output):
        value.ClearField("metadata_props")
    proto.graph.ClearField("metadata_props")
    expose_w(proto, generator.full_w_dim)
    proto.producer_name, proto.producer_version = "ganassets", __version__
    return proto


def expose_w(proto: onnx.ModelProto, width: int) -> None:
    """Make w, (n, width) before any offset is added, an output: mixes, sliders and inversion are made of it.

    Args:
        proto: the graph; w enters the sum with w_offset through one Unsqueeze.
        width: of w.
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
    """Keep the exporter's own chatter off the console; where it fails it writes pages and raises as well."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def shared_parameters(generator: BaseGenerator, proto: onnx.ModelProto) -> dict[str, str]:
    """Parameters that the exporter left out, with the name of one that holds the same numbers, "" for zeros."""
    from onnx import numpy_helper

    kept = {one.name: numpy_helper.to_array(one) for one in proto.graph.initializer}
    shared = {}
    for name, parameter in generator.named_parameters():
        if name not in kept:
            array = parameter.detach().numpy()
            alike = [other for other, numbers in kept.items() if np.array_equal(numbers, array)]
            if alike or not array.any():
                shared[name] = alike[0] if alike else ""
    return shared


def check(proto: onnx.ModelProto) -> bytes:
    """Onnx' full check with shape inference; the model's bytes."""
    import onnx

    onnx.checker.check_model(proto, full_check=True)
    foreign = {entry.domain for entry in proto.opset_import} - {"", "ai.onnx"}
    if foreign or proto.functions:
        raise GanassetsError(f"the exported model uses operators outside the default domain: {sorted(foreign)}.")
    return proto.SerializeToString()


def measure_parity(generator: BaseGenerator, content: bytes, rows: np.ndarray) -> Parity:
    """Largest difference between onnxruntime and torch, by output, over PARITY_LATENTS in batches of each size."""
    session = open_session(content)
    inputs = example_inputs(generator, rows, PARITY_LATENTS)
    worst: dict[str, float] = {}
    for batch in PARITY_BATCHES:
        for i in range(0, PARITY_LATENTS, batch):
            found = differences(generator, session, [t if t.shape == (1,) else t[i : i + batch] for t in inputs])
            worst = {name: max(worst.get(name, 0.0), difference) for name, difference in found.items()}
    return Parity(latents=PARITY_LATENTS, batches=PARITY_BATCHES, max_abs_difference=worst)


def open_session(content: bytes) -> onnxruntime.InferenceSession:
    """A session on the CPU of a model file's bytes."""
    import onnxruntime

    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])


def differences(
    generator: BaseGenerator, session: onnxruntime.InferenceSession, inputs: Sequence[Tensor]
) -> dict[str, float]:
    """Largest difference between onnxruntime and torch for some inputs, by output.

    Raises:
        GanassetsError: an output has another shape, or holds a number that is not finite, in either of them.
    """
    names = [item.name for item in session.get_inputs()]
    outputs = [item.name for item in session.get_outputs() if item.name != W]
    with torch.no_grad():
        made = generator(*inputs)
    found = session.run(outputs, {name: tensor.numpy() for name, tensor in zip(names, inputs, strict=True)})
    worst: dict[str, float] = {}
    for name, array in zip(outputs, found, strict=True):
        pair = {"torch": made[name].numpy(), "onnxruntime": np.asarray(array)}
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


def w_statistics(generator: BaseGenerator, rows: np.ndarray, count: int = 4096) -> WStatistics:
    """Mean and standard deviation of w over seeds and the data's conditions."""
    z = torch.from_numpy(latents(range(PARITY_SEED, PARITY_SEED + count), generator.settings.z_dim))
    condition = generator.domain.standardise(torch.from_numpy(np.resize(rows, (count, rows.shape[1]))))
    with torch.no_grad():
        w = generator.mapping(z, condition, torch.ones(1))
    as_numbers = lambda t: tuple(round(float(v), 6) for v in t)  # noqa: E731
    return WStatistics(mean=as_numbers(w.mean(0)), std=as_numbers(w.std(0)))


def noise_info(generator: BaseGenerator) -> NoiseInfo | None:
    """What the manifest says about the noise map; None where the generator has a size of its own."""
    domain = generator.domain
    if domain.size is not None:
        return None
    return NoiseInfo(
        channels=domain.noise_channels, stride=domain.stride, reach=generator.reach, size=domain.network_size
    )


def read_card(run: Path) -> dict[str, Any]:
    """data.json of a run."""
    try:
        return json.loads(read_text(run / "data.json", MAX_CARD_BYTES))
    except (OSError, ValueError) as error:
        raise GanassetsError(f"{run / 'data.json'} is missing or damaged ({error}).") from error


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
    """What the model file says about itself."""
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
