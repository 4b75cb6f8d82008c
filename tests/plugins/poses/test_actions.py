"""Actions by the names of files, and the sliders' columns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets_poses.actions import (
    ACTION_NAMES,
    ACTIONS,
    COLUMNS,
    CONDITIONS,
    STYLES,
    UNCLEAR,
    action_from_text,
    condition_column,
    find_action,
)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_each_action_is_found_by_its_own_name(action):
    assert action.name in action.words
    for text in (action.name, action.name.upper(), f"02_{action.name}_01", f"{action.name.title()}Loop"):
        assert action_from_text(text) is action


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
    found = action_from_text(text)
    assert (found and found.name) == name


# Names of clips as libraries of motion have them, by the action that they show.
CLIPS = {
    "walk": """
        walking; Walking Backwards; Walk In Circle; Left Turn; sword and shield walk; rifle walk; great sword
        walk; Start Walking; Female Walk; Zombie Walk; pistol walk backward; Injured Walk; walk forward; Strut
        Walking; Standing Walk Back; torch walk; Drunk Walk; walk_no_loop; Rig|Walk_Gun; walk on uneven terrain;
        Male1_B3_Walk; Man_Walk; CharacterArmature|Walk; Happy Walk; Walking While Texting; great sword 180
        turn; Run To Walk""",
    "run": """
        running; rifle run; Slow Run; Jog Forward; Goofy Running; sword and shield run; Run To Stop;
        Sprint_Loop; pistol run; Standing Run Forward; Unarmed Run Forward; Running_HoldingRifle; Run_Shoot;
        run/jog; Fast Run; Jog_Fwd_Loop; axe run; Injured Run; Run_swordRight; Walk To Run""",
    "dance": """
        Hip Hop Dancing; hip hop; Wave Hip Hop Dance; Breakdance Freeze; Salsa Dancing; Dance Body Roll; Dancing
        Twerk; Northern Soul Spin; Samba Dancing; modern dance; Tut Hip Hop Dance; Swing Dancing; Jump Dance;
        charleston1""",
    "idle": """
        great sword idle; Rifle Idle; Breathing Idle; standing idle; sword and shield idle; Pistol Idle; Happy
        Idle; Unarmed Idle; Zombie Idle; Idle_Sword; Warrior Idle; axe idle; Melee_2H_Idle; Looking Around;
        Stand""",
    "crouch": """
        Crouched Walking; Crouch Idle; rifle crouch walk; Sneaking Forward; Crouched Sneaking Left; Crouch To
        Stand; sword and shield crouch idle; Crouch_Fwd_Loop; Duck""",
    "sword": """
        sword and shield slash; great sword slash; Sword And Shield Attack; sword and shield block; Stable Sword
        Outward Slash; Standing Melee Attack Downward; Sword_Attack; Melee_1H_Attack_Chop;
        Melee_1H_Attack_Jump_Chop; swordplay; Attack; Idle_Attack; sword""",
    "shoot": """
        Firing Rifle; Gunplay shooting; Standing Aim Recoil; Rifle Aiming Idle; Reloading; Pistol_Shoot;
        Ranged_Bow_Draw; Idle_Gun_Shoot; Shooting Arrow; Toss Grenade Throw; rifle; Ranged_1H_Attack""",
    "kick": """
        Roundhouse Kick; Mma Kick; sword and shield kick; soccer - kick ball; Melee_Unarmed_Attack_Kick;
        Kick_Left""",
    "punch": """
        Punching; Hook Punch; Boxing; Uppercut; Standing Punch; Kick Boxing; Melee_Unarmed_Attack_Punch_A; Jab
        Cross""",
    "jump": """
        Running Jump; Jumping Down; Standing Jump; Jump Attack; forward jump; Backflip; hop on left foot; rifle
        jump; unarmed jump; Jump_Idle; Run2Jump2Walk; sword and shield jump; Box Jump""",
    "fall": """
        Dying; Falling Back Death; Sword And Shield Death; Hit Reaction; Falling Idle; Death_A; Death_A_Pose;
        Hit To Head; Standing Death Forward 01; Laying Idle; Sleeping""",
    "sit": """
        Sitting Idle; Sit To Stand; Sitting Talking; Stand To Sit; Sitting Clap; Sit_Chair_StandUp; Driving""",
    "crawl": """
        Crawling; Drunk Crawl Backwards; Low Crawl; Crawl_Walk""",
    "swim": """
        Swimming; Swimming To Edge; Swim_Idle_Loop""",
    "roll": """
        Falling To Roll; Stand To Roll; Sprinting Forward Roll; Dodge_Left; Roll_sword; Dodging Right""",
    "gesture": """
        Waving; Talking; Pointing; Standing Clap; Salute; Head Nod Yes; Cheering; Emote_No; Victory;
        Idle_Talking_Loop""",
    "interact": """
        Picking Up; Opening; Push; Box; Use_Item; PickUp_Table; Carrying; Pull Heavy Object; Opening Door""",
    None: """
        dataset-1_bow_normal_001; Bow; Standing 1H Magic Attack 01; Sit_Ups; Jumping Jacks; Push_Ups; T-Pose;
        pull up; Take 001; mixamo.com; Left Strafe; Praying; Cartwheel; sidewalk; magic spell""",
}


@pytest.mark.parametrize(("name", "text"), [(name, " ".join(text.split())) for name, texts in CLIPS.items()
                                            for text in texts.split(";")])  # fmt: skip
def test_names_of_clips(name, text):
    found = find_action(text.strip())
    assert (found.action and found.action.name) == name, found.reason


@pytest.mark.parametrize(
    ("clip", "file", "action", "reason"),
    [
        ("walk", "walk_and_dance_pack/walk.bvh", "walk", "the word 'walk' in the file's name"),
        ("Walk", "dances/hero.glb", "walk", "the word 'walk' in the clip's name"),
        ("Take 001", "dances/running.glb", "run", "the word 'running' in the file's name"),
        ("01", "sword pack/dances/01.bvh", "dance", "the word 'dances' in the name of the folder 'dances'"),
        ("01", "sword pack/mocap/01.bvh", "sword", "the word 'sword' in the name of the folder 'sword pack'"),
        ("Jumper|Idle", "a.glb", "idle", "the word 'idle' in the clip's name"),
        ("Rig|Walk|baselayer", "run.glb", "walk", "the word 'walk' in the clip's name"),
        ("bow", "walks/bow.bvh", None, "the word 'bow' in the file's name stands for no single action"),
        ("01", "01.bvh", None, "neither its name nor a manifest gives its action"),
        ("Attack", "Quaternius/Pistol.glb", "sword", "the word 'attack' in the clip's name"),
    ],
)
def test_the_nearest_name_decides(clip, file, action, reason):
    found = find_action(clip, file)
    assert (found.action and found.action.name, found.reason) == (action, reason)


def test_words_mean_one_action_each():
    words = [word for action in ACTIONS for word in action.words]
    words += UNCLEAR
    assert len(words) == len(set(words)) and all(word.islower() and word.isalpha() for word in words)


def test_repetitions_have_a_length():
    assert all(0 < action.shortest < action.longest and action.fastest > 0 for action in ACTIONS)
    assert {action.name for action in ACTIONS if action.gait} >= {"walk", "run"}


@given(st.text(max_size=40))
def test_any_name_is_an_action_or_none(text):
    found = action_from_text(text)
    assert found is None or any(word in text.lower() for word in (*found.words, "hip"))


def test_columns():
    assert tuple(f"action:{name}" for name in ACTION_NAMES) == COLUMNS[: len(ACTION_NAMES)]
    assert COLUMNS[len(ACTION_NAMES)] == "loop"
    assert sum(condition.width for condition in CONDITIONS) == len(COLUMNS)
    assert [COLUMNS[condition_column(name)] for name in ("loop", "speed", "tempo")] == ["loop", "speed", "tempo"]
    assert [COLUMNS[condition_column(f"style:{style}")] for style in STYLES] == [f"style:{style}" for style in STYLES]
    assert {action.name for action in ACTIONS} == set(ACTION_NAMES)
