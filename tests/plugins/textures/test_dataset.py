"""Training samples of materials: painted, and of the user's sets."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ganassets.api.data import TrainingData
from ganassets.api.errors import InputError
from ganassets_textures import SPEC
from ganassets_textures.dataset import parse_painted_share
from ganassets_textures.materials import CLASSES, COLUMNS, CONDITIONS
from ganassets_textures.painter import Z_DIM, paint_material
from ganassets_textures.samples import MASKS, SIGNALS, condition_values
from ganassets_textures.spatial_noise import pattern_noise, pattern_of
from support.material_files import colours, grey, hills, normals, save

SIZE = 32
TINY = replace(SPEC.presets[0], size=SIZE, network_size=SIZE)
SLIDERS = [condition.name for condition in CONDITIONS if not condition.choices]
PAINTED, PHOTO = COLUMNS.index("look:painted"), COLUMNS.index("look:photo")


def make(samples: int = 36, seed: int = 0, **options: str) -> TrainingData:
    return SPEC.dataset(replace(TINY, samples=samples), options, seed, lambda done, total: None)


@pytest.fixture(scope="module")
def painted() -> TrainingData:
    return make(40)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sets: bricks that tile with all maps but metal, and a colour map of something unknown that doesn't tile."""
    path = tmp_path_factory.mktemp("data") / "things"
    save(path / "brick_color.png", colours())
    save(path / "brick_normal.png", normals(hills()))
    save(path / "brick_roughness.png", grey(200))
    save(path / "zebra_color.png", colours(seed=1, tiling=False))
    (path / "broken_color.png").write_bytes(b"no picture")
    return path


@pytest.fixture(scope="module")
def mixed(folder: Path) -> TrainingData:
    return make(40, data=str(folder), painted="0.25")


def test_shapes_and_types(painted):
    assert {name: (a.shape, a.dtype) for name, a in painted.signals.items()} == {
        name: ((40, channels, SIZE, SIZE), np.dtype(dtype)) for name, (channels, dtype) in SIGNALS.items()
    }
    assert painted.conditions.shape == (40, SPEC.condition_width) and painted.conditions.dtype == np.float32
    assert painted.vectors == {} and painted.problems == () and painted.notes == ()
    assert painted.licence == "CC0-1.0" and painted.name and painted.source
    assert painted.masks is not None and painted.masks.shape == (40, len(MASKS)) and painted.masks.all()
    assert painted.tiles is not None and painted.tiles.all()


def test_classes_have_equal_shares(painted):
    shares = painted.conditions[:, : len(CLASSES)]
    assert (shares.sum(1) == 1).all() and set(np.unique(shares)) == {0, 1}
    assert set(shares.sum(0)) == {2, 3}
    assert (painted.conditions[:, PAINTED] == 1).all() and (painted.conditions[:, PHOTO] == 0).all()


def test_sliders_are_in_range(painted):
    for condition in CONDITIONS:
        if not condition.choices:
            values = painted.conditions[:, COLUMNS.index(condition.name)]
            assert values.min() >= condition.low - 1e-5 and values.max() <= condition.high + 1e-5, condition.name


def test_samples_can_be_repainted(painted):
    """Paint a sample again from its latent, noise seed and conditions, the inputs that a network learns from."""
    assert painted.latents is not None and painted.noise_seeds is not None
    assert painted.latents.shape == (40, Z_DIM) and np.isfinite(painted.latents).all()
    assert len(np.unique(painted.latents[:, 0])) == len(np.unique(painted.noise_seeds)) == 40
    for i in range(18, 38):
        row = painted.conditions[i]
        sliders = {name: float(row[COLUMNS.index(name)]) for name in SLIDERS}
        noise = pattern_noise(int(painted.noise_seeds[i]), pattern_of(row), (SIZE, SIZE))
        maps = paint_material(CLASSES[int(row[: len(CLASSES)].argmax())], sliders, painted.latents[i], noise)
        for name, signal in painted.signals.items():
            scale = 255 if signal.dtype == np.uint8 else 1
            expected = scale * np.asarray(getattr(maps, name)).reshape(signal[i].shape)
            # Rounding of sliders to float32 may move a value over a border of rounding.
            np.testing.assert_allclose(signal[i], expected, atol=0.51 if scale == 255 else 0.01, err_msg=name)


def test_same_seed_same_samples(painted):
    again, other = make(40), make(40, seed=1)
    for name, signal in painted.signals.items():
        assert np.array_equal(signal, again.signals[name])
        assert not np.array_equal(signal, other.signals[name])
    assert np.array_equal(painted.conditions, again.conditions)
    assert painted.noise_seeds is not None and again.noise_seeds is not None
    assert np.array_equal(painted.noise_seeds, again.noise_seeds)


def test_more_samples_begin_with_the_same(painted):
    fewer = make(20)
    assert np.array_equal(painted.signals["albedo"][:20], fewer.signals["albedo"])
    assert np.array_equal(painted.conditions[:20], fewer.conditions)


@pytest.mark.parametrize("options", [{}, {"painted": "0.5"}])
def test_progress_reaches_the_end(folder, options):
    reports: list[tuple[int, int]] = []
    given = {"data": str(folder), **options} if options else {}
    SPEC.dataset(replace(TINY, samples=70), given, 0, lambda done, total: reports.append((done, total)))
    assert reports[-1] == (70, 70) and {total for _, total in reports} == {70}
    assert [done for done, _ in reports] == sorted(done for done, _ in reports)


def test_share_of_painted_samples():
    assert parse_painted_share(None, data=False) == 1
    assert parse_painted_share(None, data=True) == 0.5
    assert parse_painted_share("0", data=True) == 0
    assert parse_painted_share("0.9", data=True) == 0.9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("half", "--painted takes a number from 0 to 1, not 'half'"),
        ("1", "--painted 1 is not from 0 to below 1; leave out --data"),
        ("-0.1", "is not from 0 to below 1"),
        ("nan", "is not from 0 to below 1"),
        ("50", "is not from 0 to below 1"),
    ],
)
def test_shares_that_make_no_sense(text, message):
    with pytest.raises(InputError) as caught:
        parse_painted_share(text, data=True)
    assert message in str(caught.value)


def test_a_share_without_data_is_refused():
    with pytest.raises(InputError, match="give --data too"):
        make(2, painted="0.5")


def test_data_of_ones_own(mixed, folder):
    assert mixed.latents is not None and mixed.masks is not None and mixed.tiles is not None
    photos = np.arange(40) < 30
    np.testing.assert_array_equal(mixed.conditions[:, PHOTO], photos)
    np.testing.assert_array_equal(mixed.conditions[:, PAINTED], ~photos)
    np.testing.assert_array_equal(np.isnan(mixed.latents).all(1), photos)
    assert np.isfinite(mixed.latents[~photos]).all()
    kinds = Counter(map(tuple, mixed.masks[photos].tolist()))
    # Bricks have height (from the normals) and roughness, and are no metal; the other has colours alone. What pattern
    # belongs to them nobody knows.
    assert kinds == {(1, 1, 1, 0): 15, (0, 0, 0, 0): 15}
    assert mixed.masks[~photos].all() and mixed.tiles[~photos].all()
    colours_alone = photos & ~mixed.masks.any(1)
    assert not mixed.tiles[colours_alone].any(), "outputs that don't tile are cropped"
    bricks = mixed.conditions[:, COLUMNS.index("material:brick")]
    assert (bricks[photos & mixed.masks.any(1)] == 1).all()
    np.testing.assert_allclose(bricks[colours_alone], 1 / len(CLASSES), rtol=1e-5)
    np.testing.assert_allclose(mixed.conditions[:, : len(CLASSES)].sum(1), 1, rtol=1e-5)


def test_found_sets_are_passed_on(mixed, folder):
    assert folder.name in mixed.name and mixed.licence != "CC0-1.0"
    assert "our own painter" in mixed.source
    assert [file for file, _ in mixed.problems] == ["broken_color.png"]
    assert len(mixed.notes) == 3 and "2 material sets" in mixed.notes[-1] and "brick" in mixed.notes[0]


def test_photos_alone(folder):
    data = make(6, data=str(folder), painted="0")
    assert data.latents is not None and np.isnan(data.latents).all()
    assert (data.conditions[:, PHOTO] == 1).all() and "painter" not in data.source


def test_some_of_the_data_is_used_for_any_share(folder):
    assert (make(10, data=str(folder), painted="0.99").conditions[:, PHOTO] == 1).any()


def test_a_folder_without_sets_fails_before_painting(tmp_path, monkeypatch):
    monkeypatch.setattr("ganassets_textures.painted_samples.paint_material", lambda *_: pytest.fail("painted"))
    with pytest.raises(InputError):
        make(4, data=str(tmp_path / "nowhere"))


def test_condition_values():
    sliders = {name: 0.1 * i for i, name in enumerate(SLIDERS)}
    made = dict(zip(COLUMNS, condition_values(["brick", "sand"], "photo", sliders), strict=True))
    assert {name: made[name] for name in SLIDERS} == sliders
    assert {name for name, value in made.items() if ":" in name and value} == {
        "material:brick", "material:sand", "look:photo"
    }  # fmt: skip
    assert made["material:sand"] == 0.5 and made["look:photo"] == 1
