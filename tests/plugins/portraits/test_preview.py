"""Pictures decoded and shown; what the generator promises."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from ganassets.api.assets import Picture
from ganassets.api.errors import InputError
from ganassets.api.provenance import Provenance
from ganassets.api.registry import load_exporter
from ganassets.api.registry_checks import generator_problems
from ganassets_faces.portraits import SPEC
from ganassets_faces.portraits.decode import decode_pictures, to_pixels
from ganassets_faces.portraits.preview import CELL, COLUMNS, DARK, LIGHT, MAX_PICTURES, caption, contact_sheet, grid


def test_it_breaks_no_rule():
    assert generator_problems(SPEC) == []
    assert SPEC.asset_kind in load_exporter(SPEC.exporter).kinds


def test_listing_it_loads_nothing_heavy():
    code = "import sys, ganassets_faces.portraits; print([n for n in ('numpy', 'PIL', 'torch') if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_decoding_keeps_numbers_names_and_origins():
    values = np.random.default_rng(0).random((2, 3, 5, 4), np.float32)
    origins = [Provenance(seed=1), Provenance(seed=2)]
    made = decode_pictures({"picture": values}, None, ["a", "b"], origins, {})
    assert [(asset.name, asset.provenance.seed, asset.kind) for asset in made] == [
        ("a", 1, "picture"),
        ("b", 2, "picture"),
    ]
    np.testing.assert_allclose(made[1].pixels / 255, values[1].transpose(1, 2, 0), atol=0.5 / 255 + 1e-6)


def test_nearly_clear_is_clear_and_nearly_solid_solid():
    values = np.full((1, 4, 1, 3), 0.8, np.float32)
    values[0, 3] = [[0.04, 0.5, 0.96]]
    pixels = to_pixels(values)[0, 0]
    assert pixels.tolist() == [[0, 0, 0, 0], [204, 204, 204, 128], [204, 204, 204, 255]]
    assert values[0, 3, 0, 0] == np.float32(0.04), "the arrays given are left as they are"


def test_a_sheet_shows_pictures_and_their_background():
    clear = np.zeros((8, 6, 4), np.uint8)
    red = np.full((6, 8, 3), (255, 0, 0), np.uint8)
    sheet = np.asarray(grid([clear, red] * 5))
    assert sheet.shape == (2 * CELL, COLUMNS * CELL, 3)
    assert set(np.unique(sheet[:CELL, CELL // 4 : CELL * 3 // 4])) == {DARK, LIGHT}
    assert (sheet[CELL // 4 : CELL * 3 // 4, CELL : 2 * CELL] == (255, 0, 0)).all()


def test_contact_sheets():
    assets = [Picture("a", np.full((9, 9, 3), 90, np.uint8), Provenance(seed=i)) for i in range(70)]
    assert contact_sheet(assets).size == (COLUMNS * CELL, contact_sheet(assets[:MAX_PICTURES]).height)
    assert contact_sheet(assets[:1]).width == CELL
    with pytest.raises(InputError, match="at least one picture"):
        contact_sheet([])


def test_captions_show_seed_and_label():
    pixels = np.zeros((4, 4, 3), np.uint8)
    labelled = Provenance(seed=7, sliders={"label:elf": 0.2, "label:orc": 0.8})
    assert caption(Picture("a", pixels, labelled)) == "7 orc"
    assert caption(Picture("a", pixels, Provenance(seed=7, morph=(9, 0.5)))) == "7 > 9"


def test_snapshots_are_drawn_from_the_arrays():
    assert SPEC.snapshot is not None
    sheet = SPEC.snapshot({"picture": np.zeros((3, 4, 8, 6), np.float32)}, np.zeros((3, 0), np.float32))
    assert sheet.size == (3 * CELL, CELL)
