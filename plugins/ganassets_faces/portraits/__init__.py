"""Portraits: pictures like the user's own. Importing this needs the standard library and ganassets.api.spec alone."""

from __future__ import annotations

from dataclasses import replace

from ganassets.api.outputs import Output
from ganassets.api.spec import API_VERSION, DataOption, GeneratorSpec, Preset

# A learned code for each picture, up to this number; the linear model is only what training is compared with.
QUICK = Preset(
    "quick",
    "64 px: about 9 minutes on two cores.",
    size=64,
    network_size=64,
    kimg=45,
    components=64,
    width=24,
    z_dim=64,
    w_dim=128,
    batch=10,
    learning_rate=1.5e-3,
    augmentation=0.3,
    regression=0.3,
    feature_weight=1.0,
    matching_weight=1.0,
    codes=1024,
    adversarial_weight=0.1,
)

SPEC = GeneratorSpec(
    name="portraits",
    summary="Pictures like your own: portraits, sprites, icons.",
    version="0.1.0",
    api_version=API_VERSION,
    asset_kind="picture",
    outputs=(Output("picture", ("channel", "height", "width"), "sRGB", 0.0, 1.0),),
    conditions=(),  # labels are known with the data
    wraps=(False, False),
    presets=(
        QUICK,
        replace(QUICK, name="fine", summary="64 px: about 30 minutes on two cores.", kimg=160),
        replace(
            QUICK,
            name="small",
            summary="128 px: about 2 hours on two cores.",
            size=128,
            network_size=128,
            kimg=200,
            width=16,
        ),
        replace(
            QUICK,
            name="base",
            summary="256 px: a GPU, or some nights on a CPU.",
            size=256,
            basis_size=128,
            network_size=256,
            kimg=400,
            width=12,
        ),
        replace(
            QUICK,
            name="large",
            summary="512 px: for a GPU.",
            size=512,
            basis_size=128,
            network_size=512,
            kimg=1500,
            width=12,
            max_width=256,
        ),
    ),
    data_options=(
        DataOption("data", "Folder or zip of pictures to learn from; folders in it become labels."),
        DataOption("crop", "How pictures become square: auto, centre, stretch or pad.  [default: auto]"),
        DataOption("mirror", "Whether pictures are also shown mirrored: yes or no.  [default: no]"),
    ),
    dataset="ganassets_faces.portraits.dataset:picture_data",
    target="ganassets_faces.portraits.target:picture_target",
    domain="ganassets_faces.portraits.domain:PicturesDomain",
    decode="ganassets_faces.portraits.decode:decode_pictures",
    preview="ganassets_faces.portraits.preview:contact_sheet",
    snapshot="ganassets_faces.portraits.preview:snapshot",
    exporter="png",
)
