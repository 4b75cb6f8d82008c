"""A complete size-free generator for the tests: plugin, exporter and a model file of real networks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

# As in tests/support/domains.py.
STRIDE, NOISE_CHANNELS, TRAINING_SIZE = 4, 3, 16
DEFAULT_SIZE = 4 * TRAINING_SIZE

TILES = """
import numpy as np
from ganassets.api.spec import API_VERSION, Condition, GeneratorSpec, Output, Preset

def decode(arrays, manifest, names, provenances, settings):
    from ganassets.api.assets import TextureSet
    made = []
    for i, (name, provenance) in enumerate(zip(names, provenances)):
        height = np.ascontiguousarray(arrays["height"][i, 0])
        normal = np.broadcast_to(np.array([0, 0, 1], np.float32), (*height.shape, 3))
        plane = np.full(height.shape, 0.5, np.float32)
        albedo = np.clip(arrays["albedo"][i].transpose(1, 2, 0), 0, 1)
        made.append(TextureSet(name, albedo, height, normal, plane, plane, plane, 0.01, provenance=provenance))
    return made

def preview(assets):
    from PIL import Image
    return Image.new("RGB", (len(assets), 1))

SPEC = GeneratorSpec(
    name="tiles", summary="Noise that tiles.", version="1.0", api_version=API_VERSION, asset_kind="textures",
    outputs=(
        Output("albedo", ("channel", "height", "width"), "sRGB"), Output("height", ("channel", "height", "width"), "m")
    ),
    conditions=(Condition("strength", "How strong.", 0.5, 1.5), Condition("age", "How old.", 0, 10)),
    wraps=(True, True), presets=(Preset("quick", "At once.", 16, 16, 1.0),),
    dataset=lambda *a: None, domain=lambda *a: None, decode=decode, preview=preview, exporter="heights",
)
"""
HEIGHTS = """
from ganassets.api.assets import Exporter

def export(asset, options):
    rows, columns = asset.height.shape
    return {f"{asset.name}.{columns}x{rows}": asset.height.tobytes()}

EXPORTER = Exporter("heights", "Bare heights.", 1, ("textures",), (".raw",), export)
"""


def make_model(manifest: Mapping[str, Any]) -> bytes:
    """Export networks with random weights to a model file whose manifest starts from `manifest`."""
    from ganassets.api.manifest import METADATA_KEY
    from ganassets.training.onnx_export import noise_info, to_onnx
    from support.domains import make_networks

    generator, _ = make_networks("tile")
    info = noise_info(generator)
    assert info is not None and (info.channels, info.stride, info.size) == (NOISE_CHANNELS, STRIDE, TRAINING_SIZE)
    axes = ["channel", "height", "width"]
    facts: dict[str, Any] = {
        **manifest,
        "generator": "tiles",
        "generator_version": "1.0",
        "z_dim": generator.settings.z_dim,
        "w_dim": generator.full_w_dim,
        "layers": generator.layers,
        "outputs": [{"name": "albedo", "axes": axes, "unit": "sRGB"}, {"name": "height", "axes": axes, "unit": "m"}],
        "conditions": [{"name": "strength", "low": 0.5, "high": 1.5}, {"name": "age", "low": 0, "high": 10}],
        "condition_rows": [[0.5 + i / 20, i % 10] for i in range(20)],
        "noise": info.model_dump(),
        "static_digests": {},
    }
    proto = to_onnx(generator)
    proto.metadata_props.add(key=METADATA_KEY, value=json.dumps(facts))
    return proto.SerializeToString()
