"""The walk over an ONNX file: it sees everything, and nothing makes it crash, hang or grow."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from ganassets.inference import onnx_scan
from ganassets.inference.onnx_scan import MalformedError, scan
from support.processor_time import processor_time
from support.squares import build_model

MODEL = build_model().SerializeToString()


def test_it_agrees_with_the_onnx_package():
    proto = onnx.ModelProto.FromString(MODEL)
    found = scan(MODEL)
    assert found.ir_versions == {proto.ir_version}
    assert found.opsets == {18}
    assert found.domains <= {""}
    assert found.operators == {node.op_type for node in proto.graph.node}
    assert {k: bytes(v).decode() for k, v in found.metadata.items()} == {p.key: p.value for p in proto.metadata_props}
    assert found.graphs == 1
    assert not found.external
    assert not found.data_locations


def nested_model(inner: onnx.GraphProto) -> onnx.ModelProto:
    """A model with a graph inside an `If` inside an `If`."""
    for name in ("middle", "outer"):
        node = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
        inner = helper.make_graph([node], name, [], [helper.make_tensor_value_info("y", 1, None)])
    return helper.make_model(inner)


def test_it_looks_into_subgraphs_functions_and_attributes():
    tensor = numpy_helper.from_array(np.zeros(3, np.float32), "t")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret")
    strange = helper.make_node("Strange", [], ["y"], domain="evil.corp", value=tensor)
    model = nested_model(helper.make_graph([strange], "in", [], [helper.make_tensor_value_info("y", 1, None)]))
    function = helper.make_function(
        "home.made", "F", ["x"], ["y"], [helper.make_node("Deep", ["x"], ["y"])], [helper.make_opsetid("f.set", 1)]
    )
    model.functions.append(function)
    found = scan(model.SerializeToString())
    assert found.domains == {"evil.corp", "home.made", "f.set"}
    assert {"If", "Strange", "Deep"} <= found.operators
    assert found.data_locations == {1}
    assert len(found.external) == 1


def test_too_deep_a_nest_is_refused():
    node = b""
    for _ in range(200):  # graph { node { attribute { graph ... } } }
        for field in (6, 5, 1):
            node = bytes([field << 3 | 2]) + length(len(node)) + node
    with pytest.raises(MalformedError, match="nested too deeply"):
        scan(b"\x3a" + length(len(node)) + node)


def length(number: int) -> bytes:
    """Varint of a number."""
    low = number & 0x7F
    return bytes([low]) if number < 128 else bytes([low | 0x80]) + length(number >> 7)


def test_a_flood_of_fields_is_refused_soon(monkeypatch):
    monkeypatch.setattr(onnx_scan, "MAX_FIELDS", 1000)
    assert scan(b"\x08\x01" * 1000).ir_versions == {1}
    with pytest.raises(MalformedError, match="more than 1000 fields"):
        scan(b"\x08\x01" * 1001)


def refuse(content):
    with pytest.raises(MalformedError):
        scan(content)


def test_a_flood_takes_time_in_proportion():
    few, many = (b"\x08\x01" * count for count in (onnx_scan.MAX_FIELDS // 10, onnx_scan.MAX_FIELDS + 1))
    assert processor_time(lambda: refuse(many)) < 30 * processor_time(lambda: refuse(few + b"\x07"))


def test_a_flood_takes_no_memory():
    peaks = []
    for count in (1000, 100_000):
        flood = b"\x08\x01" * count + b"\x07"
        tracemalloc.start()
        refuse(flood)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]


@pytest.mark.parametrize("cut", range(100))
def test_a_prefix_is_malformed_or_lacks_something(cut):
    try:
        found = scan(MODEL[: len(MODEL) * cut // 100])
    except MalformedError:
        return
    assert not (found.graphs and found.opsets and "ganassets" in found.metadata)


def walk(data: bytes) -> None:
    """OnnxScan; only MalformedError may come out."""
    try:
        scan(data)
    except MalformedError as error:
        assert str(error).endswith(".")  # noqa: PT017  # most bytes are refused, some are not


@given(st.binary(max_size=400))
def test_any_bytes(data):
    walk(data)


@given(st.lists(st.tuples(st.integers(0, len(MODEL) - 1), st.integers(0, 7)), min_size=1, max_size=8))
def test_flipped_bits(flips):
    data = bytearray(MODEL)
    for place, bit in flips:
        data[place] ^= 1 << bit
    walk(bytes(data))


@given(st.integers(0, len(MODEL)), st.binary(max_size=20), st.integers(0, 30))
def test_bytes_put_in_and_taken_out(place, extra, gone):
    walk(MODEL[:place] + extra + MODEL[place + gone :])


@given(st.integers(1, 2**64 - 1))
def test_lengths_beyond_the_end(size):
    with pytest.raises(MalformedError):
        scan(b"\x3a" + length(size))


@pytest.mark.parametrize(
    "data", [b"\x3a" + b"\x80" * 12, b"\x00\x00", b"\x0b", b"\x0e", b"\x38\x01", b"\x80", b"\x0d\x00", b"\x0a\x05ab"]
)
def test_a_file_that_is_not_protobuf(data):
    with pytest.raises(MalformedError):
        scan(data)


def test_it_needs_the_standard_library_alone():
    code = (
        "import sys, ganassets.inference.onnx_scan; print([m for m in ('numpy', 'onnx', 'google') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
