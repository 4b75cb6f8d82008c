"""Write GLB files for the tests with real consumers; the folders have fixtures for their own consumers.

A test whose consumer is missing is skipped on a developer's machine and fails in CI (CI=true).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ganassets.api.assets import Asset, TextureSet
from ganassets_gltf import EXPORTER
from support.heads import make_head

DEFAULTS = {option.name: option.default for option in EXPORTER.options}


@pytest.fixture(scope="session")
def write_head(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write a GLB of a head; takes its seed and the exporter's options, with _ instead of -."""
    folder = tmp_path_factory.mktemp("heads")

    def write(seed: int, size: int = 128, **options: object) -> Path:
        return write_glb(folder, make_head(seed, size), f"{seed}", options)

    return write


@pytest.fixture(scope="session")
def write_surface(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write a GLB of a material; takes a texture set and the exporter's options, with _ instead of -."""
    folder = tmp_path_factory.mktemp("surfaces")

    def write(asset: TextureSet, **options: object) -> Path:
        return write_glb(folder, asset, f"{asset.name}-{'x'.join(map(str, asset.height.shape))}", options)

    return write


def write_glb(folder: Path, asset: Asset, label: str, options: dict[str, object]) -> Path:
    """Write an asset's GLB to a path that contains its options."""
    given = {name.replace("_", "-"): value for name, value in options.items()}
    ((_, content),) = EXPORTER.export(asset, DEFAULTS | given).items()
    path = folder / f"{label}{''.join(f'-{name}-{value}' for name, value in options.items())}.glb"
    path.write_bytes(content)
    return path
