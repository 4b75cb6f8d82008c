"""Layouts of cells: quilting on a torus, seams, and offsets that even out steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganassets_textures.exemplars.layout import (
    Guide,
    Layout,
    Quilt,
    beyond_cut,
    cover,
    even_out,
    patch_starts,
    quilt,
    seam_edges,
    soften,
    spread,
)

FEW = settings(max_examples=25, deadline=None)


def guide(rows: int, columns: int, tiles: bool = True, seed: int = 0) -> Guide:
    """Return random cells of two values."""
    cells = np.random.default_rng(seed).integers(-300, 300, (rows, columns, 2))
    return Guide(cells.astype(np.int64), tiles)


@FEW
@given(
    rows=st.integers(1, 24),
    columns=st.integers(1, 24),
    size=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    tiles=st.booleans(),
    seed=st.integers(0, 2**62),
    pieces=st.sampled_from([0.0, 0.5, 1.0, -3.0, 7.0]),
)
def test_every_index_is_a_cell_of_the_exemplar(rows, columns, size, tiles, seed, pieces):
    layout, again = (quilt(guide(rows, columns, tiles), size, seed, pieces) for _ in range(2))
    for places in (layout.first, layout.second, layout.upper):
        assert places.shape == size and places.dtype == np.int64
        assert places.min() >= 0 and places.max() < rows * columns
    assert layout.blend.shape == (4 * size[0], 4 * size[1]) and layout.blend.dtype == np.float32
    assert layout.blend.min() >= 0 and layout.blend.max() <= 1
    assert contents(layout) == contents(again), "the same seed, the same layout"


def contents(layout: Layout) -> bytes:
    """Return the bytes of a layout."""
    return layout.first.tobytes() + layout.second.tobytes() + layout.blend.tobytes()


def test_seeds_and_pieces_differ():
    found = {contents(quilt(guide(16, 16), (24, 24), seed, pieces)) for seed in range(5) for pieces in (0, 1)}
    assert len(found) == 10


@FEW
@given(
    shape=st.tuples(st.integers(4, 24), st.integers(4, 24)),
    size=st.tuples(st.integers(4, 30), st.integers(4, 30)),
    seed=st.integers(0, 99),
)
def test_patches_of_exemplars_that_do_not_tile_never_wrap(shape, size, seed):
    """A patch lies within the exemplar, so neighbours of a layout that jump from its border to the other are seams."""
    chosen = []

    class Watched(Quilt):
        def choose(self, places, laid, old):
            found = super().choose(places, laid, old)
            chosen.append((*found, self.side))
            return found

    Watched(guide(*shape, tiles=False), size, seed, 0.5).lay()
    assert chosen
    assert all(row + side <= shape[0] and column + side <= shape[1] for row, column, side in chosen)


def test_a_layout_that_tiles_has_no_more_seams_at_the_border_than_inside():
    """Patches lie on a torus: rolling a layout gives a layout that is as good."""
    exemplar = guide(16, 16)
    steps, border = [], []
    for seed in range(12):
        places = quilt(exemplar, (32, 32), seed).upper
        cells = exemplar.cells.reshape(-1, 2)[places]
        across = np.abs(np.roll(cells, -1, 1) - cells).sum(2)
        own = np.abs(np.roll(exemplar.cells, -1, 1) - exemplar.cells).sum(2).mean()
        steps.append(across[:, :-1].mean() / own)
        border.append(across[:, -1].mean() / own)
    assert np.mean(border) == pytest.approx(np.mean(steps), rel=0.15)


def test_a_layout_is_no_copy_of_its_exemplar():
    right, down = seam_edges(quilt(guide(16, 16), (16, 16), 3).upper, (16, 16))
    assert right.any() and down.any()


def test_regular_patterns_continue():
    """On a checkerboard of 4 cells, patches fit without an error at the seams."""
    row, column = np.mgrid[:16, :16]
    cells = ((row // 2 + column // 2) % 2 * 500)[..., None].astype(np.int64)
    found = cells.reshape(-1)[quilt(Guide(cells, True), (24, 32), 5).upper]
    row, column = np.mgrid[:24, :32]
    phases = [((row + y) // 2 + (column + x) // 2) % 2 * 500 for y in range(4) for x in range(4)]
    assert min(np.mean(found != phase) for phase in phases) == 0


@given(st.integers(1, 200), st.integers(1, 50))
def test_patches_cover_an_axis(length, step):
    starts = patch_starts(length, step)
    gaps = np.diff([*starts, length])
    assert starts[0] == 0 and gaps.min() >= 1 and gaps.max() <= step


@given(st.integers(1, 12), st.integers(1, 6), st.integers(0, 99))
def test_the_cut_is_the_cheapest_connected_path(rows, columns, seed):
    difference = np.random.default_rng(seed).integers(0, 50, (rows, columns))
    keep = beyond_cut(difference)
    cut = keep.argmax(1)
    assert keep.any(1).all() and (np.abs(np.diff(cut)) <= 1).all()
    assert all((keep[i] == (np.arange(columns) >= cut[i])).all() for i in range(rows))
    best = difference[0].astype(float)
    for row in difference[1:]:
        wide = np.pad(best, 1, constant_values=np.inf)
        best = row + np.minimum(np.minimum(wide[:-2], wide[1:-1]), wide[2:])
    assert difference[np.arange(rows), cut].sum() == best.min()


def test_seams():
    places = np.arange(24).reshape(4, 6)
    right, down = seam_edges(places, (4, 6))
    assert not right.any() and not down.any(), "an exemplar that wraps continues at its border"
    places = places.copy()
    places[1, 2] = 0
    right, down = seam_edges(places, (4, 6))
    assert right.sum() == down.sum() == 2 and right[1, 1] and right[1, 2] and down[0, 2] and down[1, 2]


def test_soft_edges():
    mask = np.zeros((8, 8), bool)
    mask[2:6, 2:6] = True
    share = soften(mask)
    assert share.shape == (32, 32) and share.min() == 0 and share.max() == 1
    assert share[14:18, 14:18].min() == 1 and not share[:4].any()
    np.testing.assert_allclose(share, share[::-1, ::-1], atol=1e-6)
    assert np.array_equal(soften(np.roll(mask, (3, 5), (0, 1))), np.roll(share, (12, 20), (0, 1))), "it wraps"
    assert soften(np.ones((3, 3), bool)).min() == 1
    steps = np.abs(np.diff(share, axis=0)).max()
    assert steps < 0.5, "an edge is wider than a texel"


@FEW
@given(st.integers(2, 9), st.integers(2, 9), st.integers(0, 99))
def test_a_layout_over_another(rows, columns, seed):
    rng = np.random.default_rng(seed)

    def made() -> Layout:
        first, second = rng.integers(0, 99, (2, rows, columns))
        return Layout(first, second, rng.random((4 * rows, 4 * columns), np.float32))

    below, above = made(), made()
    nothing, everything = (np.full(below.blend.shape, share, np.float32) for share in (0, 1))
    assert contents(cover(below, above, nothing)) == contents(below)
    assert contents(cover(below, above, everything)) == contents(above)
    share = soften(rng.random((rows, columns)) < 0.5)
    found = cover(below, above, share)
    change = (spread(found.first) == spread(below.upper)) & (spread(found.second) == spread(above.upper))
    inside = (share > 0) & (share < 1)
    assert change[inside].all() and np.array_equal(found.blend[inside], share[inside])


@FEW
@given(st.integers(2, 20), st.integers(2, 20), st.integers(0, 99))
def test_offsets_close_small_steps_and_have_no_mean(rows, columns, seed):
    rng = np.random.default_rng(seed)
    levels = np.zeros((rows, columns, 2), np.float32)
    levels[:, columns // 2 :] = 0.02
    levels += rng.normal(0, 1e-3, levels.shape).astype(np.float32)
    right = np.zeros((rows, columns), bool)
    right[:, [columns // 2 - 1, columns - 1]] = True
    offsets = even_out(levels, right, np.zeros_like(right), np.array([0.1, 0.1], np.float32))
    assert offsets.dtype == np.float32 and np.abs(offsets.mean((0, 1))).max() < 1e-6

    def step(values):
        return np.abs((np.roll(values, -1, 1) - values)[right]).mean()

    assert step(levels + offsets) <= step(levels) + 1e-6
    if columns >= 8:
        assert step(levels + offsets) < 0.6 * step(levels)


def test_edges_of_the_material_stay():
    levels = np.zeros((8, 8, 1), np.float32)
    levels[:, 4:] = 1.0
    right = np.zeros((8, 8), bool)
    right[:, [3, 7]] = True
    assert np.abs(even_out(levels, right, np.zeros_like(right), np.array([0.1], np.float32))).max() < 1e-6
    assert not even_out(levels, np.zeros_like(right), np.zeros_like(right), np.array([0.1], np.float32)).any()
