"""Real things for the tests: distributions with plugins on a path of their own, and small ONNX models."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from ganassets.assets import Option
from ganassets.model import open_model
from ganassets.plugins import load_generator
from size_free import STRIDE

# What a shell starts in the background ignores these, and so would all that the tests start and send signals to.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Machines that run tests are slow now and then.
settings.register_profile("ganassets", deadline=None)
settings.load_profile("ganassets")

# A generator of coloured squares, small but complete: the contract's every part is used.
SQUARES = """
import numpy as np
from ganassets.spec import API_VERSION, Condition, DataOption, GeneratorSpec, Output, Preset

def decode(arrays, manifest, names, provenances, settings):
    from ganassets.assets import Material, Mesh, Topology
    quad = np.array([[0, 1, 2, 3]], np.int32)
    uvs = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.float32)
    topology = Topology(quad, quad, np.zeros(1, np.int32), uvs, 4)
    normals = np.tile(np.array([[0, 0, 1]], np.float32), (4, 1))
    made = []
    for i, (name, provenance) in enumerate(zip(names, provenances)):
        albedo = np.rint(arrays["albedo"][i].transpose(1, 2, 0) * 255).astype(np.uint8)
        joints = np.zeros((0, 3), np.float32)
        skin = (Material("skin", albedo=albedo),)
        made.append(Mesh(name, topology, arrays["positions"][i], normals, joints, skin, provenance))
    return made

def preview(assets):
    from PIL import Image
    return Image.fromarray(np.concatenate([asset.materials[0].albedo for asset in assets], 1))

SPEC = GeneratorSpec(
    name="squares", summary="Coloured squares.", version="1.2", api_version=API_VERSION, asset_kind="mesh",
    outputs=(
        Output("positions", ("vertex", "xyz"), "m"),
        Output("albedo", ("channel", "height", "width"), "sRGB", 0, 1),
    ),
    conditions=(Condition("age", "How old.", 0, 100, "years"), Condition("tint", "Which.", choices=("red", "green"))),
    wraps=(False, False), presets=(Preset("quick", "At once.", 4, 4, 1.0),),
    dataset=lambda *a: None, domain=lambda *a: None, decode=decode, preview=preview,
    data_options=(DataOption("colours", "Folder of colours."),), static_digests=lambda: {"quad": "0" * 64},
)
"""
RAW = """
from ganassets.assets import Exporter, Option

def export(asset, options):
    return {asset.name + ".bin": asset.positions.tobytes() * options["copies"], asset.name + ".txt": b"x"}

EXPORTER = Exporter("raw", "Bare positions.", 1, ("mesh",), (".bin", ".txt"), export, (
    Option("copies", int, 1, "How often.", low=1, high=9), Option("style", str, "plain", "How.", ("plain", "fancy")),
    Option("noisy", bool, False, "Whether."), Option("scale", float, 1.0, "How large.", low=0.0),
))
"""
MANIFEST: dict[str, Any] = {
    "format_version": 1,
    "generator": "squares",
    "generator_version": "1.2",
    "software": "ganassets 0.1.0",
    "z_dim": 5,
    "w_dim": 3,
    "layers": 2,
    "outputs": [
        {"name": "positions", "axes": ["vertex", "xyz"], "unit": "m"},
        {"name": "albedo", "axes": ["channel", "height", "width"], "unit": "sRGB", "low": 0, "high": 1},
    ],
    "conditions": [
        {"name": "age", "help": "How old.", "low": 0, "high": 100, "unit": "years"},
        {"name": "tint", "help": "Which.", "choices": ["red", "green"]},
    ],
    "condition_rows": [[float(age), age // 3 % 3 / 2, 1 - age // 3 % 3 / 2] for age in range(0, 100, 3)],
    "w_statistics": {"mean": [0.0] * 3, "std": [1.0] * 3},
    "static_digests": {"quad": "0" * 64},
    "data": {"name": "noise", "licence": "CC0-1.0", "samples": 10},
    "training": {
        "preset": "quick", "objective": "rpgan", "kimg": 1.0, "seconds": 60.0, "seed": 0, "device": "cpu"
    },
    "parity": {"latents": 256, "batches": [1, 3], "max_abs_difference": {"positions": 1e-7}},
    "licence": "CC0-1.0",
    "created": "2026-01-31T00:00:00+00:00",
}  # fmt: skip


class PluginPath:
    """A folder of installed distributions, made as pip leaves them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(
        self, distribution: str, entry_points: str, modules: dict[str, str] | None = None, version: str = "1.0"
    ) -> None:
        """Add a distribution with the text of its entry_points.txt and its modules."""
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(entry_points)
        for name, text in (modules or {}).items():
            (self.folder / f"{name}.py").write_text(text)

    def generator(self, name: str, module: str, text: str, distribution: str | None = None) -> None:
        """Add a distribution with one generator, the SPEC of a module."""
        entry = f"[ganassets.generators]\n{name} = {module}:SPEC\n"
        self.install(distribution or f"dist-{module}", entry, {module: text})


@pytest.fixture
def plugin_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PluginPath:
    """An empty folder of distributions that hides all that are installed on the machine."""
    folder = tmp_path / "site"
    folder.mkdir()
    discover = metadata.Distribution.discover
    monkeypatch.setattr(metadata, "distributions", lambda **_: discover(path=[str(folder)]))
    monkeypatch.syspath_prepend(str(folder))
    return PluginPath(folder)


@pytest.fixture
def squares(plugin_path: PluginPath, monkeypatch: pytest.MonkeyPatch) -> PluginPath:
    """The squares generator and the raw exporter, and nothing else, are installed."""
    tag = hashlib.sha256(str(plugin_path.folder).encode()).hexdigest()[:12]  # no module is another test's
    entry = f"[ganassets.generators]\nsquares = squares_{tag}:SPEC\n[ganassets.exporters]\nraw = raw_{tag}:EXPORTER\n"
    plugin_path.install("squares-and-raw", entry, {f"squares_{tag}": SQUARES, f"raw_{tag}": RAW}, "1.2")
    return plugin_path


@pytest.fixture
def tiles(plugin_path: PluginPath) -> PluginPath:
    """The size-free generator of tests/size_free.py and its exporter, and nothing else, are installed."""
    from size_free import HEIGHTS, TILES

    tag = hashlib.sha256(str(plugin_path.folder).encode()).hexdigest()[:12]
    entry = f"[ganassets.generators]\ntiles = tiles_{tag}:SPEC\n"
    entry += f"[ganassets.exporters]\nheights = heights_{tag}:EXPORTER\n"
    plugin_path.install("tiles-and-heights", entry, {f"tiles_{tag}": TILES, f"heights_{tag}": HEIGHTS})
    return plugin_path


@pytest.fixture(scope="session")
def tiles_bytes() -> bytes:
    """A model file of the size-free generator."""
    pytest.importorskip("torch")
    from size_free import make_model

    return make_model(MANIFEST)


@pytest.fixture
def tiles_model(tiles_bytes: bytes, tmp_path: Path) -> Path:
    """Path of a model of the size-free generator."""
    path = tmp_path / "tiles.onnx"
    path.write_bytes(tiles_bytes)
    return path


def build_model(manifest: dict[str, Any] | None = None, **changes: Any) -> Any:
    """An onnx.ModelProto of the squares network that honours the contract, manifest included."""
    import json

    import onnx
    from onnx import TensorProto, helper, numpy_helper

    facts = {**(manifest or MANIFEST), **changes}
    rng = np.random.default_rng(0)
    weights = {
        "from_z": rng.normal(size=(5, 3)),
        "from_condition": rng.normal(size=(3, 3)) * [[0.01], [1], [1]],
        "mean": rng.normal(size=(1, 3)),
        "to_positions": rng.normal(size=(3, 12)),
        "to_albedo": rng.normal(size=(3, 48)),
    }
    constants = {
        **{name: value.astype(np.float32) for name, value in weights.items()},
        "layer0": np.array(0),
        "layer1": np.array(1),
        "axis1": np.array([1]),
        "positions_shape": np.array([-1, 4, 3]),
        "albedo_shape": np.array([-1, 3, 4, 4]),
    }
    node = helper.make_node
    nodes = [
        node("MatMul", ["z", "from_z"], ["a"]),
        node("MatMul", ["condition", "from_condition"], ["b"]),
        node("Add", ["a", "b"], ["c"]),
        node("Mul", ["c", "truncation"], ["d"]),
        node("Add", ["d", "mean"], ["w"]),
        node("Unsqueeze", ["w", "axis1"], ["w1"]),
        node("Add", ["w1", "w_offset"], ["ws"]),
        node("Gather", ["ws", "layer0"], ["first"], axis=1),
        node("Gather", ["ws", "layer1"], ["second"], axis=1),
        node("MatMul", ["first", "to_positions"], ["p"]),
        node("Reshape", ["p", "positions_shape"], ["positions"]),
        node("MatMul", ["second", "to_albedo"], ["q"]),
        node("Sigmoid", ["q"], ["r"]),
        node("Reshape", ["r", "albedo_shape"], ["albedo"]),
    ]
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)  # noqa: E731
    graph = helper.make_graph(
        nodes,
        "squares",
        [value("z", ["n", 5]), value("condition", ["n", 3]), value("truncation", [1]), value("w_offset", ["n", 2, 3])],
        [value("positions", ["n", 4, 3]), value("albedo", ["n", 3, 4, 4]), value("w", ["n", 3])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    model.metadata_props.add(key="ganassets", value=json.dumps(facts))
    onnx.checker.check_model(model, full_check=True)
    return model


@pytest.fixture
def make_model(tmp_path: Path) -> Callable[..., Path]:
    """make(edit=..., **manifest changes) -> path of a squares model; edit may change the onnx.ModelProto first."""

    def make(edit: Callable[[Any], None] = lambda model: None, name: str = "model.onnx", **changes: Any) -> Path:
        model = build_model(**changes)
        edit(model)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(model.SerializeToString())
        return path

    return make


@pytest.fixture
def tiling(tiles, tiles_model):
    """The size-free model and its plugin."""
    return open_model(tiles_model, threads=1), load_generator("tiles")


@pytest.fixture
def choosing(tiling):
    """A size-free model whose plugin chooses the size: by a setting and a slider."""
    model, spec = tiling

    def size_of(settings, row, info):
        assert (info.channels, info.stride) == (3, STRIDE)
        return (STRIDE * settings["rows"], STRIDE * (1 + int(row[1])))

    return model, replace(spec, map_size=size_of, settings=(Option("rows", int, 2, "How many."),))
