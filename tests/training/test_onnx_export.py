"""A short training run of real heads, its model file, and assets from it."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from ganassets.api.assets import Mesh
from ganassets.api.errors import GanassetsError, InputError
from ganassets.inference.model import open_model, read_manifest
from ganassets.inference.resolve import generate_assets
from ganassets.training.onnx_export import (
    OPSET,
    PARITY_BATCHES,
    PARITY_LATENTS,
    TOLERANCE,
    export_run,
    serialize_checked,
    to_onnx,
)
from ganassets.training.run import resume, train
from ganassets.training.run_folder import list_checkpoints
from ganassets_faces import SPEC
from support.domains import make_inputs, make_networks
from support.requests import request_of

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

PATIENCE = 300  # seconds; machines that run tests are slow now and then
TINY = replace(SPEC.preset("quick"), samples=48, size=32, network_size=16, components=6, z_dim=70, kimg=0.05)
TRAIN = {"seed": 1, "objective": "rpgan", "device": "cpu", "threads": 1, "data_options": {}}


def make_run(folder: Path, console: Console) -> Path:
    return train(SPEC, TINY, out=folder, console=console, **TRAIN)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A finished run, what it printed, and its model file."""
    text = io.StringIO()
    console = Console(file=text, width=400)
    run = make_run(tmp_path_factory.mktemp("run") / "heads", console)
    return run, text, export_run(SPEC, run, None, console)


def test_run_folder(trained):
    run, text, _ = trained
    names = {path.name for path in run.iterdir()}
    assert {"config.toml", "data.json", "linear.safetensors", "checkpoints", "snapshots", "model.onnx"} <= names
    pictures = sorted(path.name for path in (run / "snapshots").iterdir())
    assert pictures[0] == "0000000000.png" and pictures[-1] == "0000000064.png"
    assert [path.stem for path in sorted((run / "checkpoints").iterdir())] == ["0000000000", "0000000064"]
    assert "48 samples" in text.getvalue() and "differs from torch by at most" in text.getvalue()
    assert not [path for path in run.rglob("*") if path.name.endswith((".part", ".tmp"))]


def test_plain_onnx(trained):
    model = onnx.load(str(trained[2]), load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", OPSET)] and OPSET == 18
    assert {node.domain for node in model.graph.node} == {""} and not model.functions
    assert not [t for t in model.graph.initializer if t.data_location == onnx.TensorProto.EXTERNAL]
    # No path of the machine that exported it.
    assert str(Path.cwd()).encode() not in trained[2].read_bytes()


def test_older_opset(trained):
    """Game engines read opset 15 at most; onnx' own converter gets there."""
    older = onnx.version_converter.convert_version(onnx.load(str(trained[2])), 15)
    assert [(entry.domain, entry.version) for entry in older.opset_import] == [("", 15)]
    onnx.checker.check_model(older, full_check=True)
    feeds = feeds_of(open_model(trained[2]), 3)
    for found, expected in zip(run_bytes(older.SerializeToString(), feeds), run_file(trained[2], feeds), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def feeds_of(model, n: int, truncation: float = 0.8) -> dict[str, np.ndarray]:
    """Inputs of the graph under the manifest's own conditions."""
    manifest, rng = model.manifest, np.random.default_rng(0)
    return {
        "z": rng.normal(size=(n, manifest.z_dim)).astype(np.float32),
        "condition": np.resize(np.array(manifest.condition_rows, np.float32), (n, manifest.condition_width)),
        "truncation": np.array([truncation], np.float32),
        "w_offset": 0.1 * rng.normal(size=(n, manifest.layers, manifest.w_dim)).astype(np.float32),
    }


def run_bytes(content: bytes, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(None, feeds)


def run_file(path: Path, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
    return run_bytes(path.read_bytes(), feeds)


def test_parity_is_recorded(trained):
    manifest = open_model(trained[2]).manifest
    assert (manifest.parity.latents, manifest.parity.batches) == (256, (1, 3, 17))
    assert (PARITY_LATENTS, PARITY_BATCHES, TOLERANCE) == (256, (1, 3, 17), 1e-4)
    assert manifest.parity.max_abs_difference.keys() == {"positions", "joints", "albedo"}
    assert all(0 <= value <= 1e-4 for value in manifest.parity.max_abs_difference.values())


def test_parity_measured_again(trained):
    """Latents of our own; torch against onnxruntime, and one seed alone against the same in a batch of 17."""
    from ganassets.training.onnx_export import load_generator
    from ganassets.training.settings import read_settings

    run, _, path = trained
    generator, _, _ = load_generator(SPEC, run, read_settings(run / "config.toml"))
    feeds = feeds_of(open_model(path), 17)
    with torch.no_grad():
        z, condition, truncation, offset = (torch.from_numpy(value) for value in feeds.values())
        w = generator.mapping(z, generator.domain.standardise(condition), truncation)
        expected = [*generator(z, condition, truncation, offset).values(), w]
    found = run_file(path, feeds)
    alone = run_file(path, {name: value if len(value) == 1 else value[4:5] for name, value in feeds.items()})
    for a, b, c in zip(found, expected, alone, strict=True):
        np.testing.assert_allclose(a, b.numpy(), atol=1e-4)
        np.testing.assert_allclose(c[0], a[4], atol=1e-4)


def test_w_is_what_the_offset_is_added_to(trained):
    """An offset of the difference makes one seed of another, but for what the condition says itself."""
    model = open_model(trained[2])
    feeds = feeds_of(model, 2)
    z, condition = feeds["z"], np.repeat(feeds["condition"][:1], 2, 0)
    w = model.w(z, condition, 0.7)
    np.testing.assert_allclose(
        w,
        run_file(trained[2], {**feeds, "condition": condition, "truncation": np.array([0.7], np.float32)})[-1],
        atol=1e-6,
    )
    offset = np.broadcast_to((w[1] - w[0])[None, None], (1, model.manifest.layers, model.manifest.w_dim))
    moved, there = model.run(z[:1], condition[:1], 0.7, offset), model.run(z[1:], condition[1:], 0.7)
    for name, array in moved.items():
        np.testing.assert_allclose(array, there[name], atol=1e-4)


def test_manifest_holds_the_provenance(trained):
    run, _, path = trained
    manifest = open_model(path).manifest
    assert (manifest.generator, manifest.z_dim, manifest.licence) == ("faces", 70, "CC0-1.0")
    assert (manifest.training.preset, manifest.training.seed, manifest.training.kimg) == ("quick", 1, 0.064)
    assert manifest.training.seconds > 0 and manifest.training.device == "cpu"
    assert manifest.data.samples == 48 and manifest.data.name == json.loads((run / "data.json").read_text())["name"]
    assert manifest.static_digests == SPEC.static_digests()
    assert len(manifest.condition_rows) == 48 and len(manifest.w_statistics.mean) == manifest.w_dim
    rows = np.array(manifest.condition_rows)
    assert rows[:, 0].min() >= 8 and rows[:, 0].max() <= 85 and (np.abs(rows[:, 3:6].sum(1) - 1) < 1e-3).all()


def test_generates_heads(trained):
    model = open_model(trained[2])
    (batch,) = generate_assets(model, SPEC, request_of((3, 7), conditions={"age": 60.0, "ancestry": {"asian": 1.0}}))
    assert [head.name for head in batch] == ["faces-00000003", "faces-00000007"]
    first, second = batch
    assert isinstance(first, Mesh) and isinstance(second, Mesh)
    assert not np.array_equal(first.positions, second.positions)
    assert first.provenance.sliders["age"] == 60 and first.provenance.model_digest == model.digest
    skin = first.materials[0].albedo
    assert skin is not None and skin.shape == (32, 32, 3) and skin.std() > 5
    height = np.ptp(first.positions[:, 1])
    assert 0.2 < height < 0.6


def test_export_elsewhere_gives_the_same_weights(trained, tmp_path, monkeypatch):
    monkeypatch.setattr("ganassets.training.onnx_export.PARITY_LATENTS", 17)  # the check has tests of its own
    run, _, path = trained
    facts = {"licence": "CC-BY-4.0", "source": "my own"}
    other = export_run(SPEC, run, tmp_path / "copy.onnx", Console(file=io.StringIO()), facts)
    manifest = read_manifest(other.read_bytes(), other)
    assert (manifest.licence, manifest.data.licence, manifest.data.source) == ("CC-BY-4.0", "CC-BY-4.0", "my own")
    first, second = onnx.load(str(path)), onnx.load(str(other))
    assert first.graph == second.graph


def test_a_run_with_other_sliders_is_refused(trained):
    run, _, _ = trained
    with pytest.raises(InputError, match=r"has other sliders than faces 0\.1\.0; train again"):
        export_run(replace(SPEC, conditions=SPEC.conditions[1:]), run, None, Console(file=io.StringIO()))


def test_run_folder_is_not_overwritten(trained):
    run, _, _ = trained
    with pytest.raises(InputError, match="exists already"):
        make_run(run, Console(file=io.StringIO()))


def test_foreign_operators_are_refused(trained):
    model = onnx.load(str(trained[2]))
    model.opset_import.append(onnx.helper.make_opsetid("com.example", 1))
    with pytest.raises(GanassetsError, match=r"com\.example"):
        serialize_checked(model)


def test_size_free_graph_runs_at_any_size():
    generator, _ = make_networks("tile")
    content = serialize_checked(to_onnx(generator))
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    ports = {port.name: port.shape for port in session.get_inputs()}
    assert list(ports) == ["z", "condition", "truncation", "w_offset", "noise"]
    assert [isinstance(size, int) for size in ports["noise"]] == [False, True, False, False]
    for n, height, width in ((1, 16, 16), (2, 8, 24), (3, 32, 4)):
        z, condition, one, zero, _ = make_inputs(generator, n)
        noise = torch.randn(
            n, generator.domain.noise_channels, height, width, generator=torch.Generator().manual_seed(n)
        )
        expected = generator(z, condition, one, zero, noise)
        inputs = (z, condition, one, zero, noise)
        found = session.run(list(expected), {k: t.numpy() for k, t in zip(ports, inputs, strict=True)})
        for (name, reference), array in zip(expected.items(), found, strict=True):
            assert np.shape(array)[2:] == (height, width), name
            np.testing.assert_allclose(array, reference.numpy(), atol=1e-4)


SCRIPT = """
import sys
from dataclasses import replace
from pathlib import Path
from rich.console import Console
from ganassets.training.run import train
from ganassets_faces import SPEC
preset = replace(SPEC.preset("quick"), samples=48, size=32, network_size=16, components=6, z_dim=70, kimg=100.0)
train(SPEC, preset, out=Path(sys.argv[1]), seed=1, objective="rpgan", device="cpu", threads=1, data_options={},
      console=Console(width=200))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to whole consoles")
def test_interrupt_saves_and_resume_finishes(tmp_path):
    run = tmp_path / "run"
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(run)], stdout=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + PATIENCE
        # The log is written between steps, so the run is on its way.
        while not (run / "log.jsonl").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert f"Stopped; saved. Continue with: ganassets train faces --resume {run}" in printed
    stopped = newest(run)
    assert stopped > 0
    # Let the rest be short.
    config = run / "config.toml"
    text = config.read_text(encoding="utf-8")
    assert "kimg = 100.0" in text
    config.write_text(text.replace("kimg = 100.0", f"kimg = {(stopped + 32) / 1000}"), encoding="utf-8")
    resume(SPEC, run, Console(file=io.StringIO()))
    assert newest(run) == stopped + 32


def newest(run: Path) -> int:
    return max(int(path.stem) for path in list_checkpoints(run / "checkpoints"))
