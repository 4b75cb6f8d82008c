"""Rows of conditions for the model file."""

from __future__ import annotations

import numpy as np
import pytest

from ganassets.training.preparation import CONDITION_ROWS, draw_rows


def test_rows_are_drawn_once_each():
    conditions = np.arange(1, 41, dtype=np.float32).reshape(20, 2)
    rows = draw_rows(conditions, np.random.default_rng(0))
    assert sorted(map(tuple, rows)) == sorted(map(tuple, conditions)) and not np.array_equal(rows, conditions)


@pytest.mark.parametrize("choices", [3, 300, CONDITION_ROWS])
def test_every_choice_of_the_data_is_in_a_row(choices):
    """A choice that no row has would count as not learnt."""
    conditions = np.eye(choices, dtype=np.float32)[np.arange(2048) % choices]
    rows = draw_rows(conditions, np.random.default_rng(0))
    assert len(rows) == CONDITION_ROWS and (rows.sum(0) > 0).all()


def test_rare_choices_take_the_place_of_others():
    conditions = np.zeros((5000, 3), np.float32)
    conditions[:, 0], conditions[4321] = 1, (0, 1, 0)
    for seed in range(5):
        rows = draw_rows(conditions, np.random.default_rng(seed))
        assert len(rows) == CONDITION_ROWS and (rows.sum(0) > 0).tolist() == [True, True, False]
