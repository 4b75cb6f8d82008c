"""The actions there are, what words in names of clips, files and folders mean them, and the sliders. Standard library
alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from ganassets.api.spec import Condition

# How much a word says about the motion of the whole body; the highest of a name counts, and the last of equals.
PROP, HINT, STILL, ARMS, GAIT, WHOLE_BODY, DANCE = range(7)


@dataclass(frozen=True)
class Action:
    """A kind of motion.

    Attributes:
        name: as the user writes it.
        words: that mean it in names, in lower case.
        rank: of its words, other than PROPS and HINTS.
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
    rank: int = WHOLE_BODY
    shortest: float = 1.2
    longest: float = 4.0
    gait: bool = False
    once: bool = True
    on_feet: bool = True
    low: float = 0.05
    slowest: float = -3.0
    fastest: float = 3.0
    liveliest: float = 0.0


ACTIONS = (
    Action("crawl", ("crawl", "crawling"), shortest=0.7, longest=2.4, gait=True, once=False, fastest=2.0, low=0.03),
    Action(
        "crouch",
        ("crouch", "crouching", "crouched", "sneak", "sneaking", "duck", "ducking"),
        shortest=0.7,
        longest=2.4,
        gait=True,
        once=False,
        fastest=2.0,
        low=0.03,
    ),
    Action(
        "swim", ("swim", "swimming"), shortest=0.7, longest=2.4, gait=True, once=False, on_feet=False, fastest=2.0
    ),
    Action("kick", ("kick", "kicking", "spinkick", "sidekick", "roundhouse", "crescent"), liveliest=0.8),
    Action(
        "punch",
        ("punch", "punching", "jab", "hook", "boxing", "uppercut", "backfist", "unarmed", "fist"),
        liveliest=0.6,
    ),
    Action(
        "sword",
        ("sword", "slash", "slice", "melee", "attack", "stab", "chop", "axe", "katana", "shield", "swordplay"),
        liveliest=0.6,
    ),
    Action(
        "shoot",
        ("shoot", "shooting", "fire", "firing", "gun", "pistol", "rifle", "shotgun", "ranged", "crossbow", "longbow",
         "arrow", "archery", "aim", "aiming", "reload", "reloading", "throw", "throwing"),
        rank=ARMS,
    ),
    Action("roll", ("roll", "rolling", "dodge", "dodging", "somersault"), liveliest=0.8),
    Action(
        "fall",
        ("fall", "falling", "death", "die", "dying", "dead", "hit", "knockback", "lie", "lying", "laying", "sleeping"),
    ),
    Action(
        "jump",
        ("jump", "jumping", "hop", "hopping", "leap", "leaping", "backflip", "flip", "skip", "skipping"),
        liveliest=0.8,
    ),
    Action(
        "dance",
        ("dance", "dances", "dancing", "spin", "salsa", "samba", "rumba", "ballet", "breakdance", "charleston"),
        rank=DANCE,
        liveliest=0.4,
    ),
    Action("sit", ("sit", "sitting", "driving", "seat", "chair", "seated")),
    Action(
        "run",
        ("run", "running", "jog", "jogging", "sprint", "sprinting"),
        rank=GAIT,
        shortest=0.4,
        longest=1.2,
        gait=True,
        once=False,
        low=0.06,
        slowest=1.0,
        fastest=8.0,
    ),
    Action(
        "walk",
        ("walk", "walking", "stroll", "march", "marching", "strut", "limp", "limping", "turn", "turning"),
        rank=GAIT,
        shortest=0.7,
        longest=2.2,
        gait=True,
        once=False,
        low=0.03,
    ),
    Action(
        "interact",
        ("interact", "interacting", "pickup", "pick", "picking", "lift", "lifting", "push", "pushing", "pull",
         "pulling", "use", "open", "opening", "carry", "carrying", "box", "door"),
        rank=ARMS,
    ),
    Action(
        "gesture",
        ("gesture", "wave", "waving", "talk", "talking", "cheer", "cheering", "clap", "clapping", "point", "pointing",
         "nod", "salute", "victory", "taunt", "taunting", "yes", "no"),
        rank=ARMS,
    ),
    Action(
        "idle",
        ("idle", "breathe", "breathing", "sway", "stand", "standing", "look", "looking"),
        rank=STILL,
        shortest=1.5,
        longest=6.0,
        once=False,
    ),
)  # fmt: skip
# Things that are held or used: what is done is seen from other words, where there are any.
PROPS = frozenset(
    ("sword", "axe", "katana", "shield", "melee", "gun", "pistol", "rifle", "shotgun", "ranged", "crossbow", "longbow",
     "arrow", "archery", "unarmed", "fist", "box", "door", "seat", "chair")
)  # fmt: skip
# Words that mean an action only if nothing else is said: how it is done, or what else happens.
HINTS = frozenset(("stand", "standing", "look", "looking", "turn", "turning", "spin", "yes", "no"))
BY_PROP = frozenset(("attack", "pointing"))  # a prop in the name decides what they mean
# Words that mean no action, or one of several: a bow is a greeting or a weapon.
UNCLEAR = {"bow": PROP, "magic": PROP, "spell": PROP, "staff": PROP, "tpose": DANCE, "exercise": DANCE}
PHRASES = (
    (re.compile(r"\b(hip hop|hiphop)\b"), "dance"),
    (re.compile(r"\b(push|sit|pull) ?ups?\b|\bjumping jacks?\b"), "exercise"),
    (re.compile(r"\bt pose\b"), "tpose"),
    (re.compile(r"\bno loop\b"), ""),
)
ACTION_NAMES = tuple(sorted(action.name for action in ACTIONS))
STYLES = ("game", "mocap")

CONDITIONS = (
    Condition("action", "What is done.", choices=ACTION_NAMES),
    Condition("loop", "It repeats without an end; otherwise it happens once.", 0.0, 1.0, switch=True),
    Condition("style", "Made by an animator's hand for games, or recorded from people.", choices=STYLES),
    Condition("speed", "How fast it travels forwards.", -3.0, 8.0, "m/s"),
    Condition("turn", "How fast it turns to the left; loops end as they began.", -180.0, 180.0, "degrees/s"),
    Condition(
        "tempo", "Repetitions a second, two steps each; of what happens once, 1 / its duration.", 0.15, 3.5, "1/s"
    ),
)
COLUMNS = tuple(name for condition in CONDITIONS for name in condition.columns)


MEANINGS = {word: action for action in ACTIONS for word in action.words} | dict.fromkeys(UNCLEAR)


@dataclass(frozen=True)
class ActionMatch:
    """What names say.

    Attributes:
        action: that is meant, or None.
        reason: which word of which name decided, or why there is none.
    """

    action: Action | None
    reason: str


def find_action(clip: str, file: str = "") -> ActionMatch:
    """The action that the names of a clip, of its file and of the folders around it mean. The first of these that has
    a known word decides.

    Args:
        clip: its name; what stands before "|" is the armature's, which counts after the rest.
        file: its path.
    """
    for name, where in nearby_names(clip, file):
        if found := find_known_word(name):
            action, word = found
            if action is None:
                return ActionMatch(None, f"the word {word!r} in {where} doesn't say which action it is")
            return ActionMatch(action, f"the word {word!r} in {where}")
    return ActionMatch(None, "neither its name nor a manifest says what it shows")


def nearby_names(clip: str, file: str) -> Iterator[tuple[str, str]]:
    """Names about a clip, the nearest first, and what each is the name of."""
    path = PurePosixPath(file)
    if clip != path.stem:
        yield from ((part, "the clip's name") for part in reversed(clip.split("|")))
    yield path.stem, "the file's name"
    yield from ((folder, f"the name of the folder {folder!r}") for folder in reversed(path.parts[:-1]))


def find_known_word(name: str) -> tuple[Action | None, str] | None:
    """The action that a name means and the word that decides about it; None where it has no known word."""
    words = [word for word in split_words(name) if word in MEANINGS]
    props = [MEANINGS[word] for word in words if word in PROPS]
    named_prop = props[-1] if props else None
    unclear = any(word in UNCLEAR for word in words)
    found, highest = None, -1
    for word in words:
        action, rank = MEANINGS[word], word_rank(word)
        if word in BY_PROP:
            action, rank = named_prop if props or unclear else action, ARMS
        if rank > highest or (rank == highest and action):
            found, highest = (action, word), rank
    return found


def split_words(name: str) -> list[str]:
    """Words of a name in lower case: "Sword_Slash_01", "runInCircles", "walk (2)"."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    text = " ".join(re.split(r"[^a-z]+", spaced.lower()))
    for phrase, word in PHRASES:
        text = phrase.sub(word, text)
    return text.split()


def word_rank(word: str) -> int:
    """How much a known word says."""
    action = MEANINGS[word]
    if action is None:
        return UNCLEAR[word]
    return PROP if word in PROPS else HINT if word in HINTS else action.rank


def action_from_text(text: str) -> Action | None:
    """The action that a text means, or None; of a path the last part with a known word decides."""
    *folders, name = text.split("/")
    return find_action(name, "/".join((*folders, name))).action


def condition_column(name: str) -> int:
    """Index of a column of the conditions."""
    return COLUMNS.index(name)
