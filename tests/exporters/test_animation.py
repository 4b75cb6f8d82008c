"""Animated WebP and GIF of motion clips."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganassets.api.assets import Exporter, MotionClip
from ganassets.api.errors import InputError
from ganassets.api.motion.animation import PAUSE, VIEWS
from ganassets.api.options import option_values
from ganassets_animation import GIF, WEBP
from support.motion_clips import PROVENANCE, random_clip, walk_clip

BOTH = pytest.mark.parametrize("exporter", [WEBP, GIF], ids=lambda exporter: exporter.name)


def export_file(exporter: Exporter, clip: MotionClip, **given: str) -> bytes:
    """Export a clip and return the content of its only file."""
    [(name, content)] = exporter.export(clip, option_values(exporter.options, given)).items()
    assert name == clip.name + exporter.suffixes[0]
    return content


def read_frames(content: bytes) -> tuple[list[np.ndarray], list[float], dict[Any, Any]]:
    """Read (h, w, 3) frames, the milliseconds that each stays, and the file's metadata."""
    image = Image.open(io.BytesIO(content))
    pictures, stays = [], []
    for frame in range(getattr(image, "n_frames", 1)):
        image.seek(frame)
        pictures.append(np.asarray(image.convert("RGB")).astype(float))
        stays.append(image.info.get("duration", 0))
    return pictures, stays, image.info


@BOTH
def test_a_loop_plays_evenly_without_its_closing_frame(exporter: Exporter) -> None:
    pictures, stays, info = read_frames(export_file(exporter, walk_clip(31), size="96", fps="12"))
    assert len(pictures) == 12
    assert sum(stays) == 1000
    assert max(stays) - min(stays) <= 10
    assert info["loop"] == 0
    assert pictures[0].shape == (96, 96, 3)
    steps = [np.abs(a - b).mean() for a, b in zip(pictures, [*pictures[1:], pictures[0]], strict=True)]
    assert 0 < steps[-1] < 1.2 * max(steps[:-1])


@BOTH
def test_a_clip_that_ends_shows_its_last_pose_longer(exporter: Exporter) -> None:
    clip = random_clip(np.random.default_rng(0), 31)
    pictures, stays, _ = read_frames(export_file(exporter, clip, size="64", fps="10"))
    assert len(pictures) == 11
    assert sum(stays) == 1000 + 1000 * PAUSE
    assert stays[-1] == 1000 * PAUSE


@BOTH
def test_a_single_pose_is_one_picture(exporter: Exporter) -> None:
    pictures, _, _ = read_frames(export_file(exporter, random_clip(np.random.default_rng(0), 1), size="64"))
    assert len(pictures) == 1
    assert pictures[0].std() > 5


@BOTH
def test_views_differ_and_files_are_reproducible(exporter: Exporter) -> None:
    files = [export_file(exporter, walk_clip(7), size="64", view=view) for view in VIEWS]
    assert len(set(files)) == 3
    assert files[1] == export_file(exporter, walk_clip(7), size="64", view="front")


def test_views_are_those_of_the_option() -> None:
    [choices] = [option.choices for option in WEBP.options if option.name == "view"]
    assert set(choices) == set(VIEWS)


@BOTH
def test_the_camera_follows(exporter: Exporter) -> None:
    clip = walk_clip(121, loop=False, speed=1.6)
    pictures, _, _ = read_frames(export_file(exporter, clip, size="96", fps="5"))
    for picture in (pictures[0], pictures[-1]):
        figure = np.nonzero(picture.min(-1) > 160)[1]  # the white torso
        assert len(figure) > 30
        assert 30 < figure.mean() < 66


def test_a_file_says_where_it_comes_from() -> None:
    webp = read_frames(export_file(WEBP, walk_clip(4), size="64"))[2]
    exif = Image.Exif()
    exif.load(webp["exif"])
    assert exif[305] == PROVENANCE.software
    gif = read_frames(export_file(GIF, walk_clip(4), size="64"))[2]
    for facts in (json.loads(exif[270]), json.loads(gif["comment"])):
        assert facts["Seed"] == "7"
        assert facts["Generator"] == PROVENANCE.generator
        assert facts["Copyright"] == "CC0-1.0"
        assert json.loads(facts["Sliders"]) == dict(PROVENANCE.sliders)


def test_a_morph_is_recorded() -> None:
    clip = replace(walk_clip(4), provenance=replace(PROVENANCE, morph=(9, 0.25)))
    comment = json.loads(read_frames(export_file(GIF, clip, size="64"))[2]["comment"])
    assert comment["Morph"] == "seed 9, 0.25 of the way"


@BOTH
def test_an_animation_that_is_too_long_is_refused_before_drawing(exporter: Exporter) -> None:
    clip = walk_clip(9001)
    with pytest.raises(InputError, match="smaller size"):
        export_file(exporter, clip, size="1024", fps="30")


@BOTH
def test_options_have_bounds(exporter: Exporter) -> None:
    for given in ({"size": "0"}, {"size": "5000"}, {"fps": "31"}, {"fps": "0"}, {"view": "back"}):
        with pytest.raises(InputError):
            option_values(exporter.options, given)
