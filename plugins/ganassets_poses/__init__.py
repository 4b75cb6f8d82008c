"""Poses: motion clips of a humanoid. Importing this needs the standard library and ganassets.api alone."""

from __future__ import annotations

from dataclasses import replace

from ganassets.api.assets import Option
from ganassets.api.outputs import Output
from ganassets.api.spec import API_VERSION, DataOption, GeneratorSpec, Preset

from .actions import CONDITIONS

QUICK = Preset(
    "quick",
    "about 8 minutes on two cores.",
    size=64,
    network_size=64,
    samples=8192,
    kimg=60,
    width=96,
    max_width=192,
    z_dim=32,
    w_dim=96,
    batch=32,
    gamma=10.0,
    learning_rate=4e-4,
    regression=0.7,
    regression_weight=4.0,
)

SPEC = GeneratorSpec(
    name="poses",
    summary="Motion clips of a humanoid: walks, runs, jumps, punches, dances; looping or once, of any length.",
    version="0.1.0",
    api_version=API_VERSION,
    asset_kind="motion",
    outputs=(
        Output("root", ("channel", "frame"), "m/s, rad/s, m"),
        Output("rotations", ("channel", "frame"), "columns of rotation matrices", -1.0, 1.0),
        Output("contacts", ("channel", "frame"), "probability", 0.0, 1.0),
    ),
    conditions=CONDITIONS,
    wraps=(True,),
    presets=(
        QUICK,
        replace(
            QUICK, name="small", summary="about 30 minutes on two cores.", samples=16384, kimg=220, regression=0.73
        ),
        replace(
            QUICK,
            name="base",
            summary="wider networks: for a GPU.",
            samples=32768,
            kimg=2000,
            width=192,
            max_width=384,
            regression=0.5,
        ),
    ),
    data_options=(
        DataOption(
            "data", "Folder, zip or file of motion (BVH, glTF, AMC) to learn from.  [default: pybullet's clips]"
        ),
        DataOption("bones", 'JSON file that names joints: {"hips": "Pelvis", ...}, where names are not recognised.'),
    ),
    dataset="ganassets_poses.dataset:motion_data",
    target="ganassets_poses.target:clip_target",
    domain="ganassets_poses.domain:PosesDomain",
    decode="ganassets_poses.decode:decode_clips",
    preview="ganassets_poses.preview:contact_sheet",
    animation="ganassets_poses.preview:animation",
    static_digests="ganassets_poses.structure:static_digests",
    noise="ganassets_poses.structure:motion_noise",
    settings=(
        Option(
            "seconds",
            float,
            0.0,
            "Length in seconds; 0 for two repetitions of a loop, or the natural length.",
            low=0,
            high=60,
        ),
        Option("fps", float, 30.0, "Frames per second.", low=1, high=240),
        Option("hold-feet", bool, True, "Keep standing feet in place."),
        Option("mirror", str, "seed", "Exchange left and right; seed: the seed decides.", ("seed", "yes", "no")),
        Option(
            "pose", float, -1.0, "A single frame: 0 is the first, 1 the last; -1 for the whole clip.", low=-1, high=1
        ),
    ),
    map_size="ganassets_poses.decode:map_size",
    snapshot="ganassets_poses.snapshot:snapshot",
    features="ganassets_poses.features:window_features",
    measures="ganassets_poses.measures:clip_measures",
    exporter="gltf",
)
