"""The actions there are, what words in file names mean them, and the sliders. Standard library alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ganassets.spec import Condition


@dataclass(frozen=True)
class Action:
    """A kind of motion.

    Attributes:
        name: as the user writes it.
        words: that mean it in the names of files and clips, in lower case.
        shortest, longest: seconds that one repetition takes where takes are searched for repetitions.
        gait: its repetitions are steps; all gaits begin them with the same foot.
        once: clips may hold it as something that happens once.
        on_feet: its feet touch the ground.
        low: metres above its standing height below which a foot is on the ground; swinging feet pass higher.
        slowest, fastest: m/s that it travels forwards; clips beyond that are wrong about it.
        liveliest: m/s at which the joints move on average at its liveliest moment, at least; clips that move less hold
            a part of it alone.
    """

    name: str
    words: tuple[str, ...]
    shortest: float = 1.2
    longest: float = 4.0
    gait: bool = False
    once: bool = True
    on_feet: bool = True
    low: float = 0.05
    slowest: float = -3.0
    fastest: float = 3.0
    liveliest: float = 0.0


# The first action of which a name holds a word is meant, so what is said more precisely stands first.
ACTIONS = (
    Action("crawl", ("crawl", "crawling"), 0.7, 2.4, gait=True, once=False, fastest=2.0, low=0.03),
    Action(
        "crouch", ("crouch", "crouching", "sneak", "sneaking"), 0.7, 2.4, gait=True, once=False, fastest=2.0, low=0.03
    ),
    Action("swim", ("swim", "swimming"), 0.7, 2.4, gait=True, once=False, on_feet=False, fastest=2.0),
    Action("kick", ("kick", "kicking", "spinkick", "roundhouse"), liveliest=0.8),
    Action("punch", ("punch", "punching", "jab", "hook", "boxing", "uppercut"), liveliest=0.6),
    Action("sword", ("sword", "slash", "slice", "melee", "attack", "stab", "chop", "axe"), liveliest=0.6),
    Action("shoot", ("shoot", "shooting", "gun", "pistol", "rifle", "bow", "aim", "aiming", "reload", "throw")),
    Action("roll", ("roll", "rolling", "dodge", "somersault"), liveliest=0.8),
    Action("fall", ("fall", "falling", "death", "die", "dying", "dead", "hit", "knockback")),
    Action(
        "jump", ("jump", "jumping", "hop", "hopping", "leap", "backflip", "flip", "skip", "skipping"), liveliest=0.8
    ),
    Action("dance", ("dance", "dancing", "spin", "salsa", "ballet"), liveliest=0.4),
    Action("sit", ("sit", "sitting", "driving", "seat")),
    Action(
        "run",
        ("run", "running", "jog", "jogging", "sprint", "sprinting"),
        0.4,
        1.2,
        gait=True,
        once=False,
        low=0.06,
        slowest=1.0,
        fastest=8.0,
    ),
    Action("walk", ("walk", "walking", "stroll", "march", "strut", "turn"), 0.7, 2.2, gait=True, once=False, low=0.03),
    Action("interact", ("interact", "interacting", "pickup", "pick", "lift", "push", "pull", "use", "open", "box")),
    Action(
        "gesture", ("gesture", "wave", "waving", "talk", "talking", "cheer", "cheering", "clap", "point", "yes", "no")
    ),
    Action("idle", ("idle", "stand", "standing", "breathe", "breathing", "sway", "look"), 1.5, 6.0, once=False),
)
NAMES = tuple(sorted(action.name for action in ACTIONS))
STYLES = ("game", "mocap")

CONDITIONS = (
    Condition("action", "What is done.", choices=NAMES),
    Condition("loop", "It repeats without an end; otherwise it happens once.", 0.0, 1.0, switch=True),
    Condition("style", "Made by an animator's hand for games, or recorded from people.", choices=STYLES),
    Condition("speed", "How fast it travels forwards.", -3.0, 8.0, "m/s"),
    Condition("turn", "How fast it turns to the left; loops end as they began.", -180.0, 180.0, "degrees/s"),
    Condition(
        "tempo", "Repetitions a second, two steps each; of what happens once, 1 / its duration.", 0.15, 3.5, "1/s"
    ),
)
COLUMNS = tuple(column for condition in CONDITIONS for column in condition.columns)


def action_of(text: str) -> Action | None:
    """The action that the name of a file or clip means, or None: "Sword_Slash_01", "runInCircles", "walk (2)"."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    words = set(re.split(r"[^a-z]+", spaced.lower()))
    return next((action for action in ACTIONS if words & set(action.words)), None)


def column(name: str) -> int:
    """Index of a column of the conditions."""
    return COLUMNS.index(name)
