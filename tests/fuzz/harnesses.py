"""Parsers of files and texts from outside, each as a function of bytes, with valid inputs to start from.

A parser returns or raises GanassetsError with one sentence. Everything else is a finding: another error, a warning, a
file touched outside the folder it was given, or a time of more than SLOW times the pace.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from ganassets.api.data.labels import read_labels
from ganassets.api.data.pictures import read_pictures
from ganassets.api.data.sources import list_containers, open_container, read_file
from ganassets.api.errors import GanassetsError, InputError
from ganassets.api.latents import condition_row
from ganassets.api.manifest import Manifest, parse_manifest
from ganassets.api.registry import load_generator
from ganassets.inference.batch.index import Index
from ganassets.inference.batch.names import compile_template
from ganassets.inference.conditions import encode_conditions, find_condition, parse_condition
from ganassets.inference.directions import Direction, Directions, directions_file, parse_amount, read_directions
from ganassets.inference.jobs import read_jobs
from ganassets.inference.latent_edits import parse_layers
from ganassets.inference.model import CPU, ModelFile, input_shapes, inspect_model, open_model
from ganassets.inference.onnx_scan import MalformedError, scan
from ganassets.inference.pipeline import check_recipe
from ganassets.inference.provenance import origin_of
from ganassets.inference.recipe import FileFormat, Recipe, pack_floats, parse_recipe, unpack_floats
from ganassets.inference.resolve import resolve_request, seed_recipe
from ganassets.inference.seeds import parse_seeds
from ganassets.inference.sizes import parse_size
from ganassets_poses.readers import find_motion, read_acclaim, read_bvh, read_gltf, read_humanoid
from ganassets_textures.sets.groups import group_files
from ganassets_textures.sets.map_images import read_map_image
from ganassets_textures.sets.names import guess_material
from support.motion_files import AMC, ASF, humanoid_text
from support.requests import request_of
from support.squares import MANIFEST, build_model

from .valid_files import (
    CARRIER_SUFFIXES,
    IMAGE_SUFFIXES,
    JOBS,
    SEPARATOR,
    bvh_file,
    carrier_files,
    gltf_clip,
    gltf_files,
    image_files,
    json_lines,
    zip_files,
)

SLOW = 40  # processor time of one input at most, as a multiple of `trial.pace`; about 2 s
DIGEST = "0" * 64
FEW_UNITS = 200  # units of a job whose names are checked
ROOT = Path(__file__).parents[2]

# Operators and attributes with which edits replace those of a graph.
OPERATORS = (
    "MatMul", "Gemm", "Conv", "ConvTranspose", "Resize", "Gather", "GatherND", "Scatter", "ScatterND", "Slice",
    "Pad", "Tile", "Expand", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Concat", "Split", "Where", "TopK",
    "CumSum", "Einsum", "OneHot", "Range", "Loop", "If", "Scan", "LSTM", "GRU", "MaxPool", "AveragePool",
    "LayerNormalization", "InstanceNormalization", "DequantizeLinear", "QuantizeLinear", "NonMaxSuppression",
    "RoiAlign", "StringNormalizer", "SequenceAt", "DepthToSpace",
)  # fmt: skip
ATTRIBUTES = (
    "axis",
    "axes",
    "group",
    "keepdims",
    "batch_dims",
    "blocksize",
    "perm",
    "pads",
    "strides",
    "to",
    "hidden_size",
)

Parse = Callable[[bytes, Path], object]


@dataclass(frozen=True)
class Harness:
    """A parser under test.

    Attributes:
        parse: parses bytes; also gets an empty folder to work in.
        seeds: returns valid inputs.
        refusals: errors beside GanassetsError that the parser may raise.
        is_json: whether inputs are JSON.
        examples: number of mutated inputs that a test run tries.
    """

    parse: Parse
    seeds: Callable[[], list[bytes]]
    refusals: tuple[type[Exception], ...] = ()
    is_json: bool = False
    examples: int = 150


def text_of(data: bytes) -> str:
    """Decode any bytes as text."""
    return data.decode("utf-8", "replace")


def refusing() -> suppress:
    """Ignore a refusal, so that the next of several parsers reads the same input too."""
    return suppress(GanassetsError)


@cache
def manifest() -> Manifest:
    """Parse the manifest of the small model of the tests."""
    return parse_manifest(json.dumps(MANIFEST), "the model")


@cache
def shipped(name: str) -> ModelFile:
    """Inspect a model of the package."""
    return inspect_model(ROOT / f"plugins/ganassets_{name}/data/{name}.onnx")


def condition_texts(data: bytes, folder: Path) -> None:
    text = text_of(data)
    with refusing():
        assert parse_seeds(text)
    with refusing():
        size = parse_size(text)
        assert size and min(size) > 0
    with refusing():
        assert abs(parse_amount("jaw", text)) <= 10
    with refusing():
        assert parse_layers(text, 5)
    for name in ("age", "tint"):
        with refusing():
            conditions = manifest().conditions
            row = encode_conditions(conditions, {name: parse_condition(find_condition(conditions, name), text)})
            assert (row[np.isfinite(row)] >= 0).all()


def names(data: bytes, folder: Path) -> None:
    fields = {"generator": str, "seed": int, "place": int, "age": float}
    made = compile_template(text_of(data), fields)({"generator": "faces", "seed": 7, "place": 1, "age": 20.5})
    assert "/" not in made


def jobs(data: bytes, folder: Path) -> None:
    path = folder / "jobs.toml"
    path.write_bytes(data)
    recipe = parse_recipe(recipes()[0], "the recipe")
    for request in read_jobs(path):
        with refusing(), patch("ganassets.inference.resolve.recipe_in", lambda path: recipe):
            job = resolve_request(request, file=shipped("textures"), title="1")
            for i in range(min(len(job), FEW_UNITS)):
                assert "/" not in job.unit(i).name
            assert "/" not in job.title


def index(data: bytes, folder: Path) -> None:
    (folder / "index.jsonl").write_bytes(data)
    with Index(folder) as read:
        for done in read.done.values():
            done.is_there(folder)


def manifests(data: bytes, folder: Path) -> None:
    """Do everything that happens to a manifest before its model runs."""
    found = parse_manifest(text_of(data), "the model")
    input_shapes(found)
    row = condition_row(3, found.rows, encode_conditions(found.conditions, {}))
    assert np.isfinite(row).all()
    file = ModelFile(Path("model.onnx"), found, DIGEST)
    recipe = seed_recipe(file, load_generator("faces"), request_of(), 7)
    parse_recipe(recipe.to_json(), "the recipe")


def recipe_text(data: bytes, folder: Path) -> None:
    recipe = parse_recipe(data, "the recipe")
    assert parse_recipe(recipe.to_json(), "its copy") == recipe
    with np.errstate(over="ignore"):
        assert recipe.row.dtype == np.float32
    with refusing():
        check_recipe(shipped("textures"), load_generator("textures"), recipe)


def floats(data: bytes, folder: Path) -> None:
    assert np.isfinite(unpack_floats(text_of(data))).all()


def onnx_bytes(data: bytes, folder: Path) -> None:
    scan(data)


def model(data: bytes, folder: Path) -> None:
    path = folder / "model.onnx"
    path.write_bytes(data)
    opened_model = open_model(path, [CPU], threads=1)
    shapes = input_shapes(opened_model.manifest)
    z, condition = (np.zeros((1, shapes[name][1] or 1), np.float32) for name in ("z", "condition"))
    opened_model.run(z, condition)


def graph(data: bytes, folder: Path) -> None:
    """Apply edits to a valid graph; every four bytes are one: what, where, which, and the new value."""
    import onnx

    proto = onnx.ModelProto.FromString(valid_model())
    nodes, constants = proto.graph.node, proto.graph.initializer
    names = [*(name for node in nodes for name in node.output), *(constant.name for constant in constants), "z", ""]
    for i in range(0, len(data) // 4 * 4, 4):
        what, where, which, value = data[i : i + 4]
        node, constant = nodes[where % len(nodes)], constants[where % len(constants)]
        match what % 6:
            case 0:
                node.op_type = OPERATORS[value % len(OPERATORS)]
            case 1:
                node.input[which % len(node.input)] = names[value % len(names)]
            case 2:
                node.output[which % len(node.output)] = names[value % len(names)]
            case 3 if constant.dims:
                constant.dims[which % len(constant.dims)] = value - 3
            case 4:
                constant.data_type = value % 24
            case 5:
                node.attribute.append(onnx.helper.make_attribute(ATTRIBUTES[which % len(ATTRIBUTES)], value - 128))
    model(proto.SerializeToString(), folder)


def provenance(data: bytes, folder: Path) -> None:
    """Read a file; the first byte is the index of its suffix."""
    path = folder / f"asset{CARRIER_SUFFIXES[data[0] % len(CARRIER_SUFFIXES)] if data else '.png'}"
    path.write_bytes(data[1:])
    origin_of(path)


def beside(data: bytes, folder: Path) -> None:
    """Read an index that lies beside a file without text."""
    path = folder / "asset.stl"
    path.write_bytes(b"solid")
    (folder / "index.jsonl").write_bytes(data)
    origin_of(path)


def sliders(data: bytes, folder: Path) -> None:
    file = ModelFile(folder / "model.onnx", manifest(), DIGEST)
    directions_file(file.path).write_bytes(data)
    read_directions(file)


def pictures(data: bytes, folder: Path) -> None:
    """Read a file; the first byte is the index of its suffix."""
    suffix = IMAGE_SUFFIXES[data[0] % len(IMAGE_SUFFIXES)] if data else ".png"
    (folder / f"a{suffix}").write_bytes(data[1:])
    with refusing():
        read_map_image(io.BytesIO(data[1:]), suffix, (8, 8))
    made = read_pictures(folder, 8)
    assert made.pixels.shape[2:] == (8, 8)


def zips(data: bytes, folder: Path) -> None:
    path = folder / "a.zip"
    path.write_bytes(data)
    containers, _ = list_containers(path, "a zip")
    for container in containers:
        with open_container(container) as open_file:
            for name in container.names:
                with refusing():
                    read_file(open_file, name, 2**20)
    read_pictures(path, 8)


def labels(data: bytes, folder: Path) -> None:
    read_labels(data)


def bvh(data: bytes, folder: Path) -> None:
    read_bvh(data, "clip")


def acclaim(data: bytes, folder: Path) -> None:
    skeleton, _, motion = data.partition(SEPARATOR)
    read_acclaim(skeleton, motion, "clip")


def gltf(data: bytes, folder: Path) -> None:
    def nearby(name: str) -> bytes:
        if name.startswith("."):
            raise InputError("no such file")
        return gltf_clip().binary

    read_gltf(data, "clip", nearby)


def humanoid(data: bytes, folder: Path) -> None:
    read_humanoid(data, "clip")


def motion_facts(data: bytes, folder: Path) -> None:
    (folder / "walk.bvh").write_bytes(bvh_file())
    (folder / "manifest.jsonl").write_bytes(data)
    for found in find_motion(folder, []):
        assert len(found.take.positions)


def map_names(data: bytes, folder: Path) -> None:
    found = [name for name in text_of(data).split("\n") if name]
    for group in group_files(found):
        guess_material([group.title, *group.folder.split("/")])


def run_settings(data: bytes, folder: Path) -> None:
    from ganassets.training.settings import read_settings

    path = folder / "config.toml"
    path.write_bytes(data)
    read_settings(path)


def checkpoint(data: bytes, folder: Path) -> None:
    from ganassets.training.checkpoint import load_checkpoint, load_fit

    path = folder / "1.safetensors"
    path.write_bytes(data)
    with refusing():
        load_checkpoint(path)
    load_fit(path)


# Valid inputs that contain models, recipes or runs; all others are in valid_files.py.


@cache
def valid_model() -> bytes:
    return build_model().SerializeToString()


def recipes() -> list[bytes]:
    whole = Recipe(
        generator="faces", generator_version="1", software="ganassets", licence="CC0-1.0", model=DIGEST, name="faces-7",
        seed=7, truncation=0.85, condition={"age": 20.0}, size=(64, 32), crop=True, window=64, settings={"loop": True},
        z=pack_floats(np.arange(4, dtype=np.float32)), morph=(3, 0.5), w_offset=pack_floats(np.ones(2, np.float32)),
        note="found", file=FileFormat(to="gltf", options={"size": 4}),
    )  # fmt: skip
    own = seed_recipe(shipped("textures"), load_generator("textures"), request_of(settings=own_settings()), 7)
    return [whole.to_json().encode(), own.to_json().encode()]


def own_settings() -> dict[str, Any]:
    return {option.name: option.default for option in load_generator("textures").settings}


def index_lines() -> list[bytes]:
    files = {"asset.stl": {"bytes": 5, "sha256": DIGEST}}
    entry = {"name": "asset", "key": "0" * 16, "files": files, "recipe": json.loads(recipes()[1])}
    return [json_lines({"begin": "1"}, entry), json_lines({"begin": "1"}, entry, {"end": "1"})]


def sliders_file() -> list[bytes]:
    vector = pack_floats(np.ones(3, np.float32))
    found = (
        Direction(name="jaw", vector=vector, share=0.5),
        Direction(name="nose", vector=vector, share=0, layers=(1,)),
    )
    return [Directions(generator="squares", model=DIGEST, directions=found).model_dump_json().encode()]


def toml_of_run() -> list[bytes]:
    from ganassets.training.settings import Hardware, RunSettings, to_toml

    spec = load_generator("faces")
    hardware = Hardware("cpu", 2, "float32", False)
    return [
        to_toml(RunSettings("faces", spec.presets[0], spec.presets[0].objective, 1, hardware, {"skins": "x"})).encode()
    ]


def checkpoints() -> list[bytes]:
    from safetensors.numpy import save

    arrays = {"mean.albedo": np.zeros(2, np.float32), "basis.albedo": np.zeros((1, 2), np.float32)}
    arrays |= {
        name: np.zeros(2, np.float32) for name in ("condition_mean", "condition_std", "offset", "condition_rows")
    }
    arrays |= {name: np.zeros((2, 2), np.float32) for name in ("from_latent", "from_condition")}
    meta = {"numbers": json.dumps({"images": 1, "version": 1}), "signals": '["albedo"]', "vectors": '{"shape": [0, 1]}'}
    return [save(arrays, meta)]


HARNESSES: dict[str, Harness] = {
    "typed": Harness(
        condition_texts, lambda: [b"7", b"1,5,9-12", b"512x256", b"0.5", b"red:0.5,green:1", b"3-", b"yes"]
    ),
    "names": Harness(names, lambda: [b"{generator}-{seed:08d}", b"{age:.1f}_{place:3d}", b"{{x}}{age}"]),
    "floats": Harness(floats, lambda: [pack_floats(np.ones(3, np.float32)).encode()], (ValueError,)),
    "manifest": Harness(manifests, lambda: [json.dumps(MANIFEST).encode(), noisy().encode()], is_json=True),
    "recipe": Harness(recipe_text, recipes, is_json=True),
    "sliders": Harness(sliders, sliders_file, is_json=True),
    "index": Harness(index, index_lines),
    "beside": Harness(beside, index_lines),
    "jobs": Harness(jobs, lambda: [JOBS], examples=80),
    "run-settings": Harness(run_settings, toml_of_run),
    "onnx-scan": Harness(onnx_bytes, lambda: [valid_model()], (MalformedError,)),
    "graph": Harness(graph, lambda: [b"", bytes(4)], examples=100),
    "model": Harness(model, lambda: [valid_model()], examples=100),
    "provenance": Harness(provenance, lambda: carrier_files(recipes()[1].decode()), examples=300),
    "labels": Harness(labels, lambda: [json_lines({"labels": [["a/b.png", 0], ["c.png", 6]]})], is_json=True),
    "pictures": Harness(pictures, image_files, examples=300),
    "zips": Harness(zips, zip_files),
    "bvh": Harness(bvh, lambda: [bvh_file()]),
    "acclaim": Harness(acclaim, lambda: [ASF.encode() + SEPARATOR + AMC.encode()]),
    "gltf": Harness(gltf, gltf_files),
    "humanoid": Harness(humanoid, lambda: [humanoid_text().encode()], is_json=True),
    "motion-facts": Harness(motion_facts, lambda: [json_lines({"file": "walk.bvh", "action": "walk", "fps": 30.0})]),
    "map-names": Harness(
        map_names, lambda: [b"wall_diff_01.png\nwall_nm_01.png\nBricks075B_2K_Color.jpg", b"a/rock.png"]
    ),
    "checkpoint": Harness(checkpoint, checkpoints),
}


def noisy() -> str:
    """Encode the manifest of a size-free model."""
    return json.dumps({**MANIFEST, "noise": {"channels": 3, "stride": 4, "reach": 8, "size": 16}})
