"""Fixtures for all tests: installed distributions with plugins, and small ONNX models."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from ganassets.api.assets import Option
from ganassets.api.registry import load_generator
from ganassets.inference.model import open_model
from support.size_free import STRIDE
from support.squares import MANIFEST, RAW, SQUARES, build_model

# What a shell starts in the background ignores these, and so would all that the tests start and send signals to.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Machines that run tests are slow now and then.
settings.register_profile("ganassets", deadline=None)
settings.load_profile("ganassets")


class PluginPath:
    """A folder of distributions, as pip installs them."""

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
    """The size-free generator of tests/support/size_free.py and its exporter, and nothing else, are installed."""
    from support.size_free import HEIGHTS, TILES

    tag = hashlib.sha256(str(plugin_path.folder).encode()).hexdigest()[:12]
    entry = f"[ganassets.generators]\ntiles = tiles_{tag}:SPEC\n"
    entry += f"[ganassets.exporters]\nheights = heights_{tag}:EXPORTER\n"
    plugin_path.install("tiles-and-heights", entry, {f"tiles_{tag}": TILES, f"heights_{tag}": HEIGHTS})
    return plugin_path


@pytest.fixture(scope="session")
def tiles_bytes() -> bytes:
    """A model file of the size-free generator."""
    pytest.importorskip("torch")
    from support.size_free import make_model

    return make_model(MANIFEST)


@pytest.fixture
def tiles_model(tiles_bytes: bytes, tmp_path: Path) -> Path:
    """Path of a model of the size-free generator."""
    path = tmp_path / "tiles.onnx"
    path.write_bytes(tiles_bytes)
    return path


@pytest.fixture
def make_model(tmp_path: Path) -> Callable[..., Path]:
    """Return make(edit=..., **manifest changes), which writes a squares model; edit may change its onnx.ModelProto."""

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
