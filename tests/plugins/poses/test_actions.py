"""Actions by the names of files, and the sliders' columns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets_poses.actions import ACTIONS, COLUMNS, CONDITIONS, NAMES, STYLES, action_of, column


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_each_action_is_found_by_its_own_name(action):
    assert action.name in action.words
    for text in (action.name, action.name.upper(), f"02_{action.name}_01", f"{action.name.title()}Loop"):
        assert action_of(text) is action


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Sword_Slash", "sword"),
        ("runInCircles", "run"),
        ("Walk_Loop", "walk"),
        ("walk (2)", "walk"),
        ("Rig|Idle_Gun_Pointing", "shoot"),
        ("Punch_Right clips/characters.glb", "punch"),
        ("SpinKick", "kick"),
        ("Crouch_Walk", "crouch"),
        ("Jump_Idle", "jump"),
        ("HitReact", "fall"),
        ("02_05", None),
        ("", None),
        ("sidewalk", None),
        ("walkman", None),
        ("Mixamo.com", None),
    ],
)
def test_names_as_packs_have_them(text, name):
    found = action_of(text)
    assert (found and found.name) == name


def test_words_mean_one_action_each():
    words = [word for action in ACTIONS for word in action.words]
    assert len(words) == len(set(words)) and all(word.islower() and word.isalpha() for word in words)


def test_repetitions_have_a_length():
    assert all(0 < action.shortest < action.longest and action.fastest > 0 for action in ACTIONS)
    assert {action.name for action in ACTIONS if action.gait} >= {"walk", "run"}


@given(st.text(max_size=40))
def test_any_name_is_an_action_or_none(text):
    found = action_of(text)
    assert found is None or any(word in text.lower() for word in found.words)


def test_columns():
    assert tuple(f"action:{name}" for name in NAMES) == COLUMNS[: len(NAMES)]
    assert COLUMNS[len(NAMES)] == "loop"
    assert sum(condition.width for condition in CONDITIONS) == len(COLUMNS)
    assert [COLUMNS[column(name)] for name in ("loop", "speed", "tempo")] == ["loop", "speed", "tempo"]
    assert [COLUMNS[column(f"style:{style}")] for style in STYLES] == [f"style:{style}" for style in STYLES]
    assert {action.name for action in ACTIONS} == set(NAMES)
