"""Textures: tileable PBR materials of any size. Importing this needs the standard library and ganassets.api alone."""

from __future__ import annotations

from dataclasses import replace

from ganassets.api.outputs import Output
from ganassets.api.spec import API_VERSION, DataOption, GeneratorSpec, Preset

from .materials import CONDITIONS

MOST_HEIGHT = 0.35  # metres

QUICK = Preset(
    "quick",
    "about 11 minutes on two cores: shapes and colours, soft grain.",
    size=64,
    network_size=64,
    samples=3072,
    kimg=36,
    width=32,
    max_width=64,
    z_dim=16,
    w_dim=64,
    batch=16,
    gamma=3.0,
    learning_rate=4e-4,
    regression=0.8,
    regression_weight=4.0,
)

MATERIAL = Preset(
    "material",
    "one to three materials of your own: about 2 minutes on two cores.",
    size=128,
    network_size=128,
    samples=512,
    kimg=0.4,
    z_dim=16,
    w_dim=32,
    batch=2,
    regression=1.0,
    regression_rate=4e-4,
    feature_weight=1.0,
    matching_weight=1.5,
)

# Latent, sliders and noise map determine every painted sample, so the whole run reproduces them.
PAINTED = replace(
    QUICK,
    name="painted",
    summary="how the model in the box was made: painted materials alone, about 25 minutes of one core.",
    size=128,
    network_size=128,
    samples=4096,
    batch=8,
    kimg=40,
    regression=1.0,
    regression_weight=0.0,
    regression_rate=1.5e-3,
)

SPEC = GeneratorSpec(
    name="textures",
    summary="Tileable PBR materials of any size: albedo, height, normal, roughness, metallic, occlusion.",
    version="0.1.0",
    api_version=API_VERSION,
    asset_kind="textures",
    outputs=(
        Output("albedo", ("channel", "height", "width"), "sRGB", 0.0, 1.0),
        Output("height", ("channel", "height", "width"), "m", -MOST_HEIGHT, MOST_HEIGHT),
        Output("roughness", ("channel", "height", "width"), "linear", 0.0, 1.0),
        Output("metallic", ("channel", "height", "width"), "linear", 0.0, 1.0),
    ),
    conditions=CONDITIONS,
    wraps=(True, True),
    presets=(
        QUICK,
        replace(QUICK, name="small", summary="about 90 minutes on two cores.", samples=8192, kimg=240, regression=0.6),
        PAINTED,
        replace(
            QUICK,
            name="base",
            summary="wider networks at 128 px: for a GPU.",
            size=128,
            network_size=128,
            samples=8192,
            kimg=1000,
            width=48,
            max_width=192,
            regression=0.3,
        ),
        MATERIAL,
        replace(
            MATERIAL,
            name="materials",
            summary="up to some hundred materials of your own: about 10 minutes on two cores.",
            samples=1024,
            kimg=3.0,
        ),
    ),
    data_options=(
        DataOption("data", "Folder or zip of material sets to learn from, for the presets material and materials."),
    ),
    dataset="ganassets_textures.dataset:material_data",
    baselines="ganassets_textures.baselines:material_baselines",
    target="ganassets_textures.target:material_target",
    domain="ganassets_textures.domain:make_domain",
    networks="ganassets_textures.networks:material_networks",
    decode="ganassets_textures.decode:decode_materials",
    preview="ganassets_textures.preview:contact_sheet",
    static_digests="ganassets_textures.spatial_noise:static_digests",
    noise="ganassets_textures.spatial_noise:material_noise",
    measures="ganassets_textures.measures:material_measures",
    exporter="images",
    data_preset="material",
)
