"""Arrays in a model file's metadata: the way there and back, and files that are damaged or hostile."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ganassets.api import model_arrays
from ganassets.api.errors import InputError
from ganassets.api.model_arrays import MAX_ARRAYS, pack_arrays, unpack_arrays

ARRAYS = {"guide": np.arange(12, dtype=np.int8).reshape(3, 4), "scale": np.array([0.5, 2], np.float32)}
NUMBERS = st.one_of(
    hnp.integer_dtypes(), hnp.unsigned_integer_dtypes(), hnp.boolean_dtypes(), hnp.floating_dtypes(sizes=(16, 32, 64))
)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(st.sampled_from("abc_é"), min_size=1, max_size=5),
        hnp.arrays(NUMBERS, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)).filter(
            lambda a: bool(np.isfinite(a).all())
        ),
        max_size=4,
    )
)
def test_arrays_come_back(arrays):
    text = pack_arrays(arrays)
    found = unpack_arrays(text, "model.onnx")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype and np.array_equal(found[name].reshape(array.shape), array)
    assert text == pack_arrays(dict(reversed(arrays.items()))), "the same arrays give the same bytes"


def test_shapes_come_back():
    assert unpack_arrays(pack_arrays({"a": np.array(3, np.float32)}), "m")["a"].shape == ()


def pack_bytes(*entries: tuple[str, bytes]) -> str:
    """Return a zip of entries as text."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return base64.b64encode(stream.getvalue()).decode()


def npy(array: np.ndarray, pickle: bool = False) -> bytes:
    """Return an array as a file of NumPy."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=pickle)
    return stream.getvalue()


def header(shape: str, descr: str = "'<f4'") -> bytes:
    """Return a file of NumPy with a header and eight bytes."""
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(8)


def patched_zip(change: Callable[[bytes], bytes]) -> str:
    """Return the packed arrays with changed bytes."""
    return base64.b64encode(change(base64.b64decode(pack_arrays(ARRAYS)))).decode()


def encrypted(data: bytes) -> bytes:
    """Return a zip whose entries claim to be encrypted."""
    out = bytearray(data)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = 0
        while (start := data.find(mark, start)) >= 0:
            out[start + offset] |= 1
            start += 4
    return bytes(out)


HOSTILE = {
    "empty": "",
    "no base64": "ä" * 40,
    "other letters": "!!!!",
    "no zip": base64.b64encode(b"no zip" * 30).decode(),
    "cut": pack_arrays(ARRAYS)[:-40],
    "cut inside": patched_zip(lambda data: data[: len(data) // 2]),
    "flipped": patched_zip(lambda data: data[:60] + bytes(20) + data[80:]),
    "encrypted": patched_zip(encrypted),
    "pickle": pack_bytes(("a", npy(np.array([{}], object), pickle=True))),
    "objects": pack_bytes(("a", header("(1,)", "'|O'"))),
    "text": pack_bytes(("a", npy(np.array(["abc"])))),
    "dates": pack_bytes(("a", npy(np.array([0], "datetime64[s]")))),
    "complex": pack_bytes(("a", npy(np.array([1j])))),
    "records": pack_bytes(("a", npy(np.zeros(2, [("x", "f4")])))),
    "nan": pack_bytes(("a", npy(np.array([1, np.nan])))),
    "infinity": pack_bytes(("a", npy(np.array([np.inf], np.float32)))),
    "no array": pack_bytes(("a", b"PNG")),
    "nothing": pack_bytes(("a", b"")),
    "a folder": pack_bytes(("a/", b"")),
    "short": pack_bytes(("a", header("(99,)"))),
    "huge shape": pack_bytes(("a", header("(10**15,)".replace("10**15", str(10**15))))),
    "huge sides": pack_bytes(("a", header(f"({2**62}, {2**62})"))),
    "negative shape": pack_bytes(("a", header("(-1,)"))),
    "wrong shape": pack_bytes(("a", header("'x'"))),
    "code in the header": pack_bytes(("a", header("(__import__('os').abort(),)"))),
    "deep header": pack_bytes(("a", header("(" * 5000 + ")" * 5000))),
    "the same name twice": patched_zip(lambda data: data.replace(b"scale", b"guide")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_arrays_are_one_sentence(name):
    with pytest.raises(InputError) as caught:
        unpack_arrays(HOSTILE[name], "model.onnx")
    assert str(caught.value).startswith("model.onnx carries ") and "\n" not in str(caught.value)


def test_too_many_arrays():
    with pytest.raises(InputError, match=f"at most {MAX_ARRAYS}"):
        unpack_arrays(pack_arrays({str(i): np.zeros(1) for i in range(MAX_ARRAYS + 1)}), "model.onnx")
    assert len(unpack_arrays(pack_arrays({str(i): np.zeros(1) for i in range(MAX_ARRAYS)}), "m")) == MAX_ARRAYS


def test_a_zip_bomb_is_not_unpacked(monkeypatch):
    bomb = pack_arrays({"a": np.zeros(3 * 2**20, np.int8)})
    assert len(bomb) < 10_000
    monkeypatch.setattr(model_arrays, "MAX_ARRAY_BYTES", 2 * 2**20)
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *arguments: pytest.fail("unpacked"))
    with pytest.raises(InputError, match="at most 64 arrays of 2 MB together"):
        unpack_arrays(bomb, "model.onnx")


def test_an_entry_that_lies_about_its_size_is_read_up_to_it():
    """The size of an entry stands in the zip's directory; more bytes than that are an error, not memory."""
    size = (128 + 2**20).to_bytes(4, "little")
    data = base64.b64decode(pack_arrays({"a": np.zeros(2**20, np.int8)}))
    assert data.count(size) >= 1
    with pytest.raises(InputError, match="damaged"):
        unpack_arrays(base64.b64encode(data.replace(size, (200).to_bytes(4, "little"))).decode(), "model.onnx")


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 255))
@example(0, 0)
def test_any_changed_byte_is_one_sentence_or_harmless(place, value):
    def change(data: bytes) -> bytes:
        at = place % len(data)
        return data[:at] + bytes([value]) + data[at + 1 :]

    with suppress(InputError):
        unpack_arrays(patched_zip(change), "model.onnx")
