"""Head meshes for tests: sampled shapes of the basis with painted skins, without a model file."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from ganassets.api.assets import Mesh
from ganassets.api.provenance import Provenance
from ganassets_faces.basis import load_basis
from ganassets_faces.decode import decode_heads
from ganassets_faces.painter import paint_skins


@lru_cache(256)
def make_head(seed: int, size: int = 128) -> Mesh:
    """Make the sampled head number `seed` of the basis, with a skin of size x size texels and a roughness map."""
    basis = load_basis()
    attributes = basis.sample_attributes[seed : seed + 1]
    points = basis.points(basis.sample_shapes[seed : seed + 1]).astype(np.float32)
    arrays = {
        "positions": points[:, : basis.vertex_count],
        "joints": points[:, basis.vertex_count :],
        "albedo": paint_skins(attributes, size, np.random.default_rng(seed)) / np.float32(255),
    }
    provenance = Provenance(
        generator="faces 0.1.0",
        model_digest="0" * 64,
        seed=seed,
        sliders={"age": float(attributes[0, 0]), "skin_tone": float(attributes[0, 6])},
        licence="CC0-1.0",
        software="ganassets 0.1.0",
    )
    (head,) = decode_heads(arrays, None, [f"head-{seed:08}"], [provenance], {})
    skin, *others = head.materials
    assert skin.albedo is not None
    shine = (120 + skin.albedo[..., 1] // 2).astype(np.uint8)  # darker is wetter
    return replace(head, materials=(replace(skin, roughness=1.0, roughness_map=shine), *others))
