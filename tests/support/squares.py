"""A generator of coloured squares and an exporter, as text, and a model file that honours the contract."""

from __future__ import annotations

from typing import Any

import numpy as np

# A generator of coloured squares, small but complete: the contract's every part is used.
SQUARES = """
import numpy as np
from ganassets.api.spec import API_VERSION, Condition, DataOption, GeneratorSpec, Output, Preset

def decode(arrays, manifest, names, provenances, settings):
    from ganassets.api.assets import Material, Mesh, Topology
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
from ganassets.api.assets import Exporter, Option

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
