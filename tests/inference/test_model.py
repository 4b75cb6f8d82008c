"""Opening and running model files, and every way in which one can be unfit."""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from ganassets.api.errors import GanassetsError, InputError
from ganassets.api.latents import latents
from ganassets.api.registry import load_generator
from ganassets.inference import model as model_module
from ganassets.inference.model import CPU, check_generator, cuda_devices, inspect_model, open_model, version_note
from support.command_line import run
from support.squares import MANIFEST, build_model

MODEL = build_model().SerializeToString()


def inputs(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Latents and conditions for n samples."""
    rows = np.array(MANIFEST["condition_rows"], np.float32)
    return latents(range(n), 5), np.resize(rows, (n, 3))


def test_it_opens_and_runs(make_model):
    path = make_model()
    model = open_model(path, threads=1)
    assert model.manifest.generator == "squares"
    assert model.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert model.providers == (CPU,)
    arrays = model.run(*inputs(3), truncation=0.5)
    assert {name: array.shape for name, array in arrays.items()} == {"positions": (3, 4, 3), "albedo": (3, 3, 4, 4)}
    assert all(array.dtype == np.float32 for array in arrays.values())


def test_truncation_zero_is_the_mean_and_offsets_move_it(make_model):
    model = open_model(make_model())
    z, condition = inputs(2)
    mean = model.run(z, condition, 0.0)["positions"]
    np.testing.assert_array_equal(mean[0], mean[1])
    offset = np.zeros((2, 2, 3), np.float32)
    offset[1, 0] = 1
    moved = model.run(z, condition, 0.0, offset)
    np.testing.assert_array_equal(moved["positions"][0], mean[0])
    assert abs(moved["positions"][1] - mean[1]).max() > 0.1
    np.testing.assert_array_equal(moved["albedo"][0], moved["albedo"][1])  # the other layer was left alone


@pytest.mark.parametrize("batch", [1, 2, 5, 16])
def test_a_sample_is_the_same_in_any_batch(make_model, batch):
    model = open_model(make_model())
    z, condition = inputs(16)
    whole = model.run(z, condition)
    parts = [model.run(z[i : i + batch], condition[i : i + batch]) for i in range(0, 16, batch)]
    for name, array in whole.items():
        np.testing.assert_array_equal(np.concatenate([part[name] for part in parts]), array)


def test_a_binding_gives_the_same(make_model):
    """Check the options of a GPU session on the CPU."""
    model = open_model(make_model())
    z, condition = np.ones((3, 5), np.float32), np.ones((3, 3), np.float32)
    bound = replace(model, providers=("AnyExecutionProvider",))
    expected = model.run(z, condition, 0.5)
    for name, array in bound.run(z, condition, 0.5).items():
        np.testing.assert_array_equal(array, expected[name])


def test_inputs_of_a_wrong_shape_are_reported(make_model):
    model = open_model(make_model())
    z, condition = inputs(2)
    with pytest.raises(InputError, match="z must have shape 2 x 5, not 2 x 4"):
        model.run(z[:, :4], condition)
    with pytest.raises(InputError, match="condition must have shape"):
        model.run(z, condition[:1])
    with pytest.raises(InputError, match="w_offset must have shape"):
        model.run(z, condition, w_offset=np.zeros((2, 1, 3), np.float32))


def noise_inputs(model, noise: np.ndarray | None, n: int = 2) -> dict[str, Any]:
    """Inputs of a size-free model for n samples."""
    rows = np.array(model.manifest.condition_rows, np.float32)
    return {"z": latents(range(n), model.manifest.z_dim), "condition": np.resize(rows, (n, 2)), "noise": noise}


def test_a_size_free_model_runs_at_the_size_of_its_noise(tiles_model):
    model = open_model(tiles_model)
    noise = np.random.default_rng(0).normal(size=(2, 3, 8, 20)).astype(np.float32)
    arrays = model.run(**noise_inputs(model, noise))
    assert {name: array.shape for name, array in arrays.items()} == {"albedo": (2, 3, 8, 20), "height": (2, 1, 8, 20)}
    assert not np.array_equal(arrays["height"][0], model.run(**noise_inputs(model, -noise))["height"][0])


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (None, "the model needs a noise map"),
        ((2, 2, 8, 8), "noise must have shape 2 x 3 x any x any, not 2 x 2 x 8 x 8"),
        ((1, 3, 8, 8), "noise must have shape 2 x 3 x any x any, not 1 x 3 x 8 x 8"),
        ((2, 3, 8), "noise must have shape"),
        ((2, 3, 8, 10), "every side of the noise map must be a multiple of 4"),
        ((2, 3, 2, 8), "multiple of 4"),
        ((2, 3, 0, 8), "multiple of 4"),
    ],
)
def test_noise_maps_that_do_not_fit(tiles_model, shape, message):
    model = open_model(tiles_model)
    with pytest.raises(InputError, match=message):
        model.run(**noise_inputs(model, None if shape is None else np.zeros(shape, np.float32)))


def test_a_model_with_a_size_of_its_own_takes_no_noise(make_model):
    model = open_model(make_model())
    with pytest.raises(InputError, match="takes no noise map"):
        model.run(*inputs(2), noise=np.zeros((2, 3, 4, 4), np.float32))


NOISE = {"channels": 3, "stride": 4, "reach": 18, "size": 16}


def rewrite_manifest(path, **changes) -> None:
    """Change what a model file says about itself; None leaves a field out."""
    proto = onnx.load(str(path))
    facts = json.loads(proto.metadata_props[0].value) | changes
    proto.metadata_props[0].value = json.dumps({key: value for key, value in facts.items() if value is not None})
    path.write_bytes(proto.SerializeToString())


def test_a_noise_map_that_the_manifest_or_the_graph_alone_has(make_model, tiles_model):
    refuse(make_model(noise=NOISE), "its manifest has z, condition, truncation, w_offset, noise")
    rewrite_manifest(tiles_model, noise=NOISE | {"channels": 2})
    refuse(tiles_model, "noise is .* any x 3 x any x any, it must be .* any x 2 x any x any")
    rewrite_manifest(tiles_model, noise=None)
    refuse(tiles_model, "has the inputs z, condition, truncation, w_offset, noise")


def test_a_noise_map_of_one_size_is_refused(tiles_model):
    proto = onnx.load(str(tiles_model))
    shape = next(port for port in proto.graph.input if port.name == "noise").type.tensor_type.shape
    shape.dim[2].dim_value = 16
    tiles_model.write_bytes(proto.SerializeToString())
    refuse(tiles_model, "noise is .* any x 3 x 16 x any|can't be opened")


@pytest.mark.parametrize("change", [{"stride": 0}, {"channels": 0}, {"channels": 10**6}, {"reach": -1}, {"size": 0}])
def test_noise_that_makes_no_sense(tiles_model, change):
    rewrite_manifest(tiles_model, noise=NOISE | change)
    refuse(tiles_model, "broken manifest")


def test_sliders_must_fit_a_plugin_that_makes_noise_from_them(tiles, tiles_model):
    spec = load_generator("tiles")
    other = replace(spec, conditions=spec.conditions[::-1])
    model = open_model(tiles_model)
    check_generator(model, replace(spec, noise=lambda *_: None))
    check_generator(model, other)  # plain normals depend on no slider
    with pytest.raises(InputError, match=r"has other sliders than tiles 1\.0; train again\.$"):
        check_generator(model, replace(other, noise=lambda *_: None))
    with pytest.raises(InputError, match=r"than tiles 1\.1; install tiles 1\.0 or train again\.$"):
        check_generator(model, replace(other, noise=lambda *_: None, version="1.1"))


def refuse(path, match: str) -> None:
    """The file must be refused in one sentence that names it."""
    with pytest.raises(InputError, match=match) as caught:
        open_model(path)
    text = str(caught.value)
    assert str(path) in text
    assert "\n" not in text
    assert text.endswith(".")


def test_no_file(tmp_path):
    refuse(tmp_path / "gone.onnx", "is not there")
    refuse(tmp_path, "is a folder")
    (tmp_path / "empty.onnx").touch()
    refuse(tmp_path / "empty.onnx", "is empty")
    with (tmp_path / "huge.onnx").open("wb") as file:
        file.truncate(2 * 1024**3 + 1)
    refuse(tmp_path / "huge.onnx", "larger than 2 GB")


@pytest.mark.parametrize("content", [b"GIF89a" * 99, b"PK\x03\x04" * 99, b"\x00" * 500, b"{}", bytes(range(256))])
def test_foreign_files(tmp_path, content):
    (tmp_path / "x.onnx").write_bytes(content)
    refuse(tmp_path / "x.onnx", "is not a whole ONNX file")


@pytest.mark.parametrize("percent", range(0, 100, 4))
def test_truncated_files(tmp_path, percent):
    (tmp_path / "x.onnx").write_bytes(MODEL[: 1 + len(MODEL) * percent // 100])
    refuse(tmp_path / "x.onnx", "not a whole ONNX file|carries no manifest")


def test_every_cut_through_a_field_and_every_cut_between_fields(tmp_path, monkeypatch):
    """The checks before onnxruntime alone refuse each of the file's prefixes."""
    path = tmp_path / "x.onnx"
    for end in range(1, len(MODEL)):
        with pytest.raises(InputError):
            model_module.read_manifest(MODEL[:end], path)
    model_module.read_manifest(MODEL, path)


def test_external_data(make_model):
    def edit(model):
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="/etc/passwd")

    refuse(make_model(edit), "keeps weights in other files")


@pytest.mark.parametrize("where", ["node", "subgraph", "function", "import"])
def test_custom_domains(make_model, where):
    def edit(model):
        strange = helper.make_node("Shell", ["z"], ["unused"], domain="com.example")
        if where == "node":
            model.graph.node.append(strange)
        elif where == "subgraph":
            inner = helper.make_graph([strange], "g", [], [helper.make_tensor_value_info("unused", 1, None)])
            model.graph.node.append(helper.make_node("If", ["c"], ["u"], then_branch=inner, else_branch=inner))
        elif where == "function":
            model.functions.append(helper.make_function("com.example", "F", [], [], [], []))
        else:
            model.opset_import.append(helper.make_opsetid("com.example", 1))

    refuse(make_model(edit), "operators of 'com.example'")


def test_the_long_name_of_the_default_domain_is_fine(make_model):
    def edit(model):
        for node in model.graph.node:
            node.domain = "ai.onnx"

    assert open_model(make_model(edit)).manifest.generator == "squares"


def test_no_manifest(make_model):
    refuse(make_model(lambda model: model.ClearField("metadata_props")), "carries no manifest")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, "5", '{"format_version": 1}', "\x00"])
def test_broken_manifests(make_model, text):
    def edit(model):
        model.metadata_props[0].value = text

    refuse(make_model(edit), "manifest")


def test_a_manifest_that_is_not_text(tmp_path):
    data = MODEL.replace(b'"squares"', b'"squ\xff\xfees"')
    assert data != MODEL
    (tmp_path / "x.onnx").write_bytes(data)
    refuse(tmp_path / "x.onnx", "not text")


def test_a_newer_manifest(make_model):
    refuse(make_model(format_version=2), "format 2, this program reads up to 1; update ganassets")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"z_dim": 6}, "z is tensor"),
        ({"w_dim": 4}, "w_offset is tensor"),
        ({"layers": 3}, "w_offset is tensor"),
        ({"outputs": MANIFEST["outputs"][:1]}, "its manifest has"),
        ({"outputs": [MANIFEST["outputs"][0], {"name": "albedo", "axes": ["x"], "unit": ""}]}, "albedo is tensor"),
        ({"conditions": MANIFEST["conditions"][:1], "condition_rows": [[1.0]]}, "condition is tensor"),
    ],
)
def test_a_graph_that_is_not_what_the_manifest_promises(make_model, changes, message):
    refuse(make_model(**changes), message)


def test_a_fixed_batch_or_another_type(make_model):
    def fixed(model):
        model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 4

    def wide(model):
        model.graph.node.append(helper.make_node("Cast", ["albedo"], ["wide"], to=TensorProto.DOUBLE))
        model.graph.output[1].CopyFrom(helper.make_tensor_value_info("wide", TensorProto.DOUBLE, ["n", 3, 4, 4]))

    refuse(make_model(fixed), "z is tensor")
    renamed = copy.deepcopy(MANIFEST["outputs"])
    renamed[1]["name"] = "wide"
    refuse(make_model(wide, outputs=renamed), r"wide is tensor\(double\)")


def test_names_that_are_not_text(tmp_path):
    for name, broken in [(b"w_offset", b"w_\xeeffset"), (b"\x12\x01n", b"\x12\x01\xee")]:
        assert name in MODEL
        (tmp_path / "x.onnx").write_bytes(MODEL.replace(name, broken))
        refuse(tmp_path / "x.onnx", "names that are not text")


def test_what_onnxruntime_refuses(make_model):
    def unknown(model):
        model.graph.node[0].op_type = "NoSuchOperator"

    def future(model):
        model.opset_import[0].version = 9999

    refuse(make_model(unknown), "can't be opened: ")
    refuse(make_model(future), "can't be opened: ")


def test_bytes_disguised_as_onnxruntimes_own_format_stay_onnx(tmp_path):
    """Without an explicit format, onnxruntime decides by offset 4, where a producer name can put the mark."""
    proto = onnx.ModelProto.FromString(MODEL)
    proto.producer_name = "ORTM"
    data = proto.SerializeToString()
    assert data[4:8] == b"ORTM"
    (tmp_path / "x.onnx").write_bytes(data)
    assert open_model(tmp_path / "x.onnx").manifest.generator == "squares"


def test_a_failure_while_running_is_reported(make_model):
    def edit(model):
        for tensor in model.graph.initializer:
            if tensor.name == "positions_shape":
                tensor.CopyFrom(numpy_helper.from_array(np.array([-1, 5, 3]), tensor.name))
        model.graph.output[0].CopyFrom(helper.make_tensor_value_info("positions", 1, ["n", "v", 3]))

    model = open_model(make_model(edit))
    with pytest.raises(GanassetsError, match="can't be run: "):
        model.run(*inputs(1))


def test_nothing_is_printed(make_model, capfd):
    def edit(model):
        model.graph.node[0].op_type = "NoSuchOperator"

    open_model(make_model()).run(*inputs(1))
    with pytest.raises(InputError):
        open_model(make_model(edit))
    assert capfd.readouterr() == ("", "")


def test_a_provider_that_is_not_there(make_model):
    with pytest.raises(InputError, match="onnxruntime has no NoSuchProvider here"):
        open_model(make_model(), providers=["NoSuchProvider"])


@pytest.mark.skipif(cuda_devices() > 0, reason="this machine has a CUDA device, so nothing falls back")
@pytest.mark.skipif(
    "CUDAExecutionProvider" not in onnxruntime.get_available_providers(), reason="onnxruntime without CUDA"
)
def test_a_device_that_does_not_work_falls_back_in_one_line(make_model, monkeypatch, capfd):
    monkeypatch.setattr(model_module, "cuda_devices", lambda: 1)
    lines: list[str] = []
    model = open_model(make_model(), report=lines.append)
    assert model.providers == (CPU,)
    assert len(lines) == 1
    assert lines[0].startswith("The CPU is used, because onnxruntime can't use the CUDA device: ")
    assert capfd.readouterr() == ("", "")


def test_the_installed_plugin_must_fit(squares, make_model):
    spec = load_generator("squares")
    check_generator(open_model(make_model()), spec)
    for changes, message in [
        ({"generator": "circles"}, "is a model of 'circles', not of 'squares'"),
        ({"static_digests": {"quad": "1" * 64}}, "made with another version of the squares plugin's quad"),
        ({"static_digests": {}}, "another version of the squares plugin's quad"),
    ]:
        with pytest.raises(InputError, match=message):
            check_generator(open_model(make_model(**changes)), spec)

    def swap(model):
        first = copy.deepcopy(model.graph.output[0])
        model.graph.output[0].CopyFrom(model.graph.output[1])
        model.graph.output[1].CopyFrom(first)

    with pytest.raises(InputError, match=r"which squares 1\.2 can't decode; train again"):
        check_generator(open_model(make_model(swap, outputs=MANIFEST["outputs"][::-1])), spec)


@pytest.mark.parametrize(
    ("made", "note"),
    [("1.2", ""), ("1.2.9", ""), ("1.0", ""), ("1", ""), ("1.3", "older"), ("1.10", "older"), ("odd", "older")],
)
def test_versions_of_a_plugin_that_decode_a_model(squares, make_model, made, note):
    """Other major versions can't be decoded; assets of newer minor versions may look different."""
    file, spec = inspect_model(make_model(generator_version=made)), load_generator("squares")
    check_generator(file, spec)
    message = f"The model was made by squares {made}, and 1.2 is installed: assets may look different."
    assert version_note(file.manifest, spec) == (message if note else "")


@pytest.mark.parametrize("made", ["2.0", "0.9", "11.2"])
def test_versions_of_a_plugin_that_do_not(squares, make_model, made):
    file = inspect_model(make_model(generator_version=made))
    major = made.partition(".")[0]
    with pytest.raises(
        InputError, match=rf"made by squares {made}, which squares 1\.2 can't decode; install squares {major} or"
    ):
        check_generator(file, load_generator("squares"))


def test_commands_say_of_other_versions(squares, make_model, tmp_path, monkeypatch):
    make_model(name="runs/own/model.onnx", generator_version="1.3")
    monkeypatch.chdir(tmp_path)
    result = run("generate", "runs/own", "--to", "raw", "-n", "1", "--no-preview")
    assert result.exit_code == 0
    assert result.stderr == "The model was made by squares 1.3, and 1.2 is installed: assets may look different.\n"
