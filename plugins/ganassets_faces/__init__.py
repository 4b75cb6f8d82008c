"""Faces: rigged heads with UV textures. Importing this needs the standard library and ganassets.api.spec alone."""

from __future__ import annotations

from dataclasses import replace

from ganassets.api.conditions import Condition
from ganassets.api.outputs import Output
from ganassets.api.spec import API_VERSION, DataOption, GeneratorSpec, Preset

QUICK = Preset(
    "quick",
    "128 px skins, networks at 64 px: about 6 minutes on two cores.",
    size=128,
    network_size=64,
    samples=2048,
    kimg=20,
    components=128,
    clusters=64,
    width=16,
    z_dim=208,
    gamma=200.0,
    learning_rate=4e-4,
)
SMALL = replace(
    QUICK,
    name="small",
    summary="256 px skins, networks at 64 px: about 2 hours on two cores.",
    size=256,
    basis_size=128,
    samples=8192,
    kimg=160,
    clusters=128,
    width=24,
    regression=0.6,
    regression_weight=1.0,
    regression_rate=7e-4,
    paired=0.5,
)

SPEC = GeneratorSpec(
    name="faces",
    summary="Rigged human heads with skin textures, eyes and 52 expressions.",
    version="0.1.0",
    api_version=API_VERSION,
    asset_kind="mesh",
    outputs=(
        Output("positions", ("vertex", "xyz"), "m", -1.0, 1.0),
        Output("joints", ("joint", "xyz"), "m", -1.0, 1.0),
        Output("albedo", ("channel", "height", "width"), "sRGB", 0.0, 1.0),
    ),
    conditions=(
        Condition("age", "Age of the person.", 8.0, 85.0, "years"),
        Condition("sex", "0 is a woman, 1 is a man."),
        Condition("weight", "0 is thin, 1 is heavy."),
        Condition("ancestry", "Where the features come from.", choices=("african", "asian", "european")),
        Condition("skin_tone", "0 is the lightest skin, 1 the darkest."),
    ),
    wraps=(False, False),
    presets=(
        QUICK,
        SMALL,
        replace(
            SMALL,
            name="base",
            summary="256 px skins, networks at 128 px: a GPU, or some nights on a CPU.",
            network_size=128,
            kimg=400,
        ),
        replace(
            SMALL,
            name="large",
            summary="256 px all through: for a GPU.",
            network_size=256,
            kimg=1500,
            max_width=256,
        ),
    ),
    data_options=(DataOption("skins", "Folder of real skin textures in MakeHuman's body layout (PNG or JPEG)."),),
    dataset="ganassets_faces.dataset:head_data",
    target="ganassets_faces.target:skin_target",
    domain="ganassets_faces.domain:FacesDomain",
    decode="ganassets_faces.decode:decode_heads",
    preview="ganassets_faces.preview:contact_sheet",
    static_digests="ganassets_faces.basis:static_digests",
)
