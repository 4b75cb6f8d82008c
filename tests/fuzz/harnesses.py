"""Parsers of what comes in from outside, each as a function of bytes, with valid inputs to start from.

A parser returns, or refuses in one sentence (GanassetsError). Anything else is a finding: another error, a warning, a
file touched outside the folder it was given, more than SLOW times the pace.
"""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image

from conftest import MANIFEST, build_model
from ganassets.api.data.pictures import LABEL_FILE, read_labels, read_pictures
from ganassets.api.data.sources import list_containers, opened, read_file
from ganassets.api.errors import GanassetsError, InputError
from ganassets.api.latents import condition_row
from ganassets.api.manifest import Manifest, parse_manifest
from ganassets.api.registry import load_generator
from ganassets.inference.batch.index import Index
from ganassets.inference.batch.names import compile_template
from ganassets.inference.conditions import encode_conditions, find_condition, parse_condition
from ganassets.inference.directions import Direction, Directions, file_of, parse_amount, read_directions
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
from ganassets_textures.sets.groups import grouped
from ganassets_textures.sets.names import material_of
from ganassets_textures.sets.pixels import read_picture
from support.motion_files import AMC, ASF, BvhJoint, GltfFile, bvh_text, humanoid_text
from support.requests import request_of

SLOW = 40  # times the processor time of `trial.pace` for one input; about 2 s
DIGEST = "0" * 64
SEPARATOR = b"\n=====\n"  # between the parts of an input that has several
FEW_UNITS = 200  # whose names are made
ROOT = Path(__file__).parents[2]
PICTURES = (".png", ".jpg", ".gif", ".bmp", ".tif", ".webp", ".tga")
CARRIERS = (".png", ".webp", ".glb", ".obj", ".exr", ".mtlx", ".json", ".recipe.json", ".stl", ".tres")

# What a graph's edits are made of.
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
    """A parser.

    Attributes:
        parse: of bytes, with an empty folder to work in.
        seeds: valid inputs.
        refusals: errors beside GanassetsError that are part of its contract.
        is_json: whether inputs are JSON.
        examples: mutated inputs that a test run tries.
    """

    parse: Parse
    seeds: Callable[[], list[bytes]]
    refusals: tuple[type[Exception], ...] = ()
    is_json: bool = False
    examples: int = 150


def text_of(data: bytes) -> str:
    """Any bytes as a text."""
    return data.decode("utf-8", "replace")


def refusing() -> suppress:
    """Where several parsers read one input, a refusal doesn't keep the next one from it."""
    return suppress(GanassetsError)


@cache
def manifest() -> Manifest:
    """Of the small model of the tests."""
    return parse_manifest(json.dumps(MANIFEST), "the model")


@cache
def shipped(name: str) -> ModelFile:
    """A model of the package."""
    return inspect_model(ROOT / f"plugins/ganassets_{name}/data/{name}.onnx")


def wishes(data: bytes, folder: Path) -> None:
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
    """What is done with a manifest before its model runs."""
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
    """Every four bytes are an edit of a sound graph: what, where, which, and the new value."""
    import onnx

    proto = onnx.ModelProto.FromString(sound_model())
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
    """The first byte says which suffix the file has."""
    path = folder / f"asset{CARRIERS[data[0] % len(CARRIERS)] if data else '.png'}"
    path.write_bytes(data[1:])
    origin_of(path)


def beside(data: bytes, folder: Path) -> None:
    """An index in the folder of a file without notes."""
    path = folder / "asset.stl"
    path.write_bytes(b"solid")
    (folder / "index.jsonl").write_bytes(data)
    origin_of(path)


def sliders(data: bytes, folder: Path) -> None:
    file = ModelFile(folder / "model.onnx", manifest(), DIGEST)
    file_of(file.path).write_bytes(data)
    read_directions(file)


def pictures(data: bytes, folder: Path) -> None:
    """The first byte says which suffix the file has."""
    suffix = PICTURES[data[0] % len(PICTURES)] if data else ".png"
    (folder / f"a{suffix}").write_bytes(data[1:])
    with refusing():
        read_picture(io.BytesIO(data[1:]), suffix, (8, 8))
    made = read_pictures(folder, 8)
    assert made.pixels.shape[2:] == (8, 8)


def zips(data: bytes, folder: Path) -> None:
    path = folder / "a.zip"
    path.write_bytes(data)
    containers, _ = list_containers(path, "a zip")
    for container in containers:
        with opened(container) as open_file:
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
        return clip().binary

    read_gltf(data, "clip", nearby)


def humanoid(data: bytes, folder: Path) -> None:
    read_humanoid(data, "clip")


def motion_facts(data: bytes, folder: Path) -> None:
    (folder / "walk.bvh").write_bytes(walk())
    (folder / "manifest.jsonl").write_bytes(data)
    for found in find_motion(folder, []):
        assert len(found.take.positions)


def map_names(data: bytes, folder: Path) -> None:
    found = [name for name in text_of(data).split("\n") if name]
    for group in grouped(found):
        material_of([group.title, *group.folder.split("/")])


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


# Valid inputs.


@cache
def sound_model() -> bytes:
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


def lines(*records: object) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def index_lines() -> list[bytes]:
    files = {"asset.stl": {"bytes": 5, "sha256": DIGEST}}
    entry = {"name": "asset", "key": "0" * 16, "files": files, "recipe": json.loads(recipes()[1])}
    return [lines({"begin": "1"}, entry), lines({"begin": "1"}, entry, {"end": "1"})]


def sliders_file() -> list[bytes]:
    vector = pack_floats(np.ones(3, np.float32))
    found = (
        Direction(name="jaw", vector=vector, share=0.5),
        Direction(name="nose", vector=vector, share=0, layers=(1,)),
    )
    return [Directions(generator="squares", model=DIGEST, directions=found).model_dump_json().encode()]


def tiny(mode: str = "RGB") -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 4), np.uint8)
    return Image.fromarray(pixels, "RGBA").convert(mode)


def saved(suffix: str, mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    tiny(mode).save(file, {".jpg": "JPEG", ".tif": "TIFF"}.get(suffix, suffix[1:].upper()), **options)
    return file.getvalue()


def picture_files() -> list[bytes]:
    exif = Image.Exif()
    exif[274] = 6
    made = [(suffix, saved(suffix)) for suffix in PICTURES]
    made += [(".png", saved(".png", mode)) for mode in ("RGBA", "L", "P", "1", "I;16", "LA")]
    made += [(".tif", saved(".tif", "F")), (".tif", saved(".tif", compression="tiff_lzw"))]
    made += [(".jpg", saved(".jpg", "CMYK", exif=exif)), (".webp", saved(".webp", "RGBA", lossless=True))]
    return [bytes([PICTURES.index(suffix)]) + content for suffix, content in made]


def zip_of(files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, how)
    return file.getvalue()


def zip_files() -> list[bytes]:
    pair = {"elves/a.png": saved(".png"), "orcs/b.jpg": saved(".jpg")}
    told = lines({"labels": [["a.png", 0], ["b.png", 1]]})
    return [
        zip_of(pair),
        zip_of({"a.png": saved(".png"), "b.png": saved(".png", "L"), LABEL_FILE: told}, zipfile.ZIP_STORED),
        zip_of(pair, zipfile.ZIP_BZIP2),
        zip_of(pair, zipfile.ZIP_LZMA),
    ]


def carriers() -> list[bytes]:
    """Files that our exporters' formats make, with a recipe in each."""
    from PIL.PngImagePlugin import PngInfo

    text = recipes()[1].decode()
    latin, utf = PngInfo(), PngInfo()
    latin.add_text("Recipe", text)
    utf.add_itxt("Recipe", text)
    exif = Image.Exif()
    exif[270] = json.dumps({"Recipe": json.loads(text)})
    attribute = b"Recipe\0string\0" + len(text).to_bytes(4, "little") + text.encode() + b"\0"
    quoted = text.replace('"', "&quot;")
    files = {
        ".png": [saved(".png", pnginfo=latin), saved(".png", pnginfo=utf)],
        ".webp": [saved(".webp", exif=exif.tobytes()), saved(".gif", comment=exif[270].encode())],
        ".glb": [GltfFile({"asset": {"extras": {"recipe": json.loads(text)}}}).glb()],
        ".obj": [b"# asset\n# recipe " + text.encode() + b"\nv 0 0 0\n", b"ply\ncomment recipe " + text.encode()],
        ".exr": [b"\x76\x2f\x31\x01\x02\0\0\0channels\0chlist\0\x01\0\0\0\0" + attribute + b"\0"],
        ".mtlx": [
            f'<?xml version="1.0"?><materialx doc="Bricks&#10;Recipe: {quoted}"><nodegraph/></materialx>'.encode()
        ],
        ".tres": [b"[resource]\nmetadata/recipe = " + json.dumps(text).encode() + b"\n"],
        ".json": [lines({"Recipe": json.loads(text)})],
        ".recipe.json": [text.encode()],
    }
    return [bytes([CARRIERS.index(suffix)]) + content for suffix, contents in files.items() for content in contents]


def walk() -> bytes:
    turning = ("Xposition", "Yposition", "Zposition", "Zrotation", "Xrotation", "Yrotation")
    joints = [BvhJoint("hip", -1, (0, 1, 0), turning), BvhJoint("knee", 0, (0, -0.5, 0), turning[3:])]
    return bvh_text(joints, np.arange(18.0).reshape(2, 9)).encode()


def clip() -> GltfFile:
    """Two joints that move."""
    file = GltfFile()
    file.document["nodes"] = [{"name": "hip", "children": [1], "translation": [0, 1, 0]}, {"name": "knee"}]
    file.bind([0, 1], np.tile(np.eye(4), (2, 1, 1)))
    turns = [[0, 0, 0, 1], [0, 0, 1, 0]]
    file.animate(
        "walk",
        [
            (0, "translation", [0, 0.5], [[0, 1, 0], [0, 1, 1]], "LINEAR"),
            (1, "rotation", [0, 1], turns, "STEP"),
            (1, "scale", [0], np.ones((3, 3)), "CUBICSPLINE"),
        ],
    )
    return file


def gltf_files() -> list[bytes]:
    file = clip()
    whole = base64.b64encode(file.binary).decode()
    return [file.glb(), file.gltf("walk.bin"), file.gltf(f"data:application/octet-stream;base64,{whole}")]


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


JOBS = b"""[[job]]
model = "textures"
seeds = "1-5"
size = "128x64"
to = "unity"
folder = "materials/walls"
name = "{material}-{seed:05d}"
sliders = { material = { any = ["brick", "rock"] }, wear = { from = 0.2, to = 0.8 }, hue = [0.1, 0.5] }
[[job]]
model = "textures"
count = 3
seed = 7
crop = true
window = 64
title = "second"
sliders = { material = "brick", relief = 0.5 }
options = { size = 512 }
[[job]]
model = "textures"
recipes = ["a.recipe.json"]
"""

HARNESSES: dict[str, Harness] = {
    "wishes": Harness(wishes, lambda: [b"7", b"1,5,9-12", b"512x256", b"0.5", b"red:0.5,green:1", b"3-", b"yes"]),
    "names": Harness(names, lambda: [b"{generator}-{seed:08d}", b"{age:.1f}_{place:3d}", b"{{x}}{age}"]),
    "floats": Harness(floats, lambda: [pack_floats(np.ones(3, np.float32)).encode()], (ValueError,)),
    "manifest": Harness(manifests, lambda: [json.dumps(MANIFEST).encode(), noisy().encode()], is_json=True),
    "recipe": Harness(recipe_text, recipes, is_json=True),
    "sliders": Harness(sliders, sliders_file, is_json=True),
    "index": Harness(index, index_lines),
    "beside": Harness(beside, index_lines),
    "jobs": Harness(jobs, lambda: [JOBS], examples=80),
    "run-settings": Harness(run_settings, toml_of_run),
    "onnx-scan": Harness(onnx_bytes, lambda: [sound_model()], (MalformedError,)),
    "graph": Harness(graph, lambda: [b"", bytes(4)], examples=100),
    "model": Harness(model, lambda: [sound_model()], examples=100),
    "provenance": Harness(provenance, carriers, examples=300),
    "labels": Harness(labels, lambda: [lines({"labels": [["a/b.png", 0], ["c.png", 6]]})], is_json=True),
    "pictures": Harness(pictures, picture_files, examples=300),
    "zips": Harness(zips, zip_files),
    "bvh": Harness(bvh, lambda: [walk()]),
    "acclaim": Harness(acclaim, lambda: [ASF.encode() + SEPARATOR + AMC.encode()]),
    "gltf": Harness(gltf, gltf_files),
    "humanoid": Harness(humanoid, lambda: [humanoid_text().encode()], is_json=True),
    "motion-facts": Harness(motion_facts, lambda: [lines({"file": "walk.bvh", "action": "walk", "fps": 30.0})]),
    "map-names": Harness(
        map_names, lambda: [b"wall_diff_01.png\nwall_nm_01.png\nBricks075B_2K_Color.jpg", b"a/rock.png"]
    ),
    "checkpoint": Harness(checkpoint, checkpoints),
}


def noisy() -> str:
    """Manifest of a size-free model."""
    return json.dumps({**MANIFEST, "noise": {"channels": 3, "stride": 4, "reach": 8, "size": 16}})
