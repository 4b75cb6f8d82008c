"""The actions, the words that mean them in names of clips, files and folders, and the conditions.

Needs only the standard library and ganassets.api.spec.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from ganassets.api.conditions import Condition

# Ranks of words by how much they say about the motion of the whole body. The word of the highest rank in a name
# decides, and of several the last.
PROP, HINT, STILL, ARMS, GAIT, WHOLE_BODY, DANCE = range(7)


@dataclass(frozen=True)
class Action:
    """A kind of motion.

    Attributes:
        name: Written by the user.
        words: Lower-case words that mean the action in names.
        rank: Rank of its words, except for PROPS and HINTS.
        shortest: Least seconds of one repetition, where takes are searched for repetitions.
        longest: Most seconds of one repetition.
        gait: Whether its repetitions are steps; those of all gaits begin with the same foot.
        once: Whether clips may show it as a single action.
        on_feet: Whether its feet touch the ground.
        low: Metres above its standing height up to which a foot is on the ground; swinging feet pass higher.
        slowest: Least forward speed in m/s; clips outside the range are labelled wrongly.
        fastest: Most forward speed in m/s.
        liveliest: Least mean speed of the joints in m/s at its liveliest moment; slower clips show only a part of it.
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
# Words for things that are held or used. They decide only where no other word does.
PROPS = frozenset(
    ("sword", "axe", "katana", "shield", "melee", "gun", "pistol", "rifle", "shotgun", "ranged", "crossbow", "longbow",
     "arrow", "archery", "unarmed", "fist", "box", "door", "seat", "chair")
)  # fmt: skip
# Words that say how something is done or what else happens. They decide only where no other word but PROPS does.
HINTS = frozenset(("stand", "standing", "look", "looking", "turn", "turning", "spin", "yes", "no"))
BY_PROP = frozenset(("attack", "pointing"))  # words whose action is that of a prop in the name
# Words that mean none of the actions or several, with their ranks: a bow is a greeting or a weapon.
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
    Condition("action", "Action of the figure.", choices=ACTION_NAMES),
    Condition("loop", "Make a seamless loop; otherwise a single action.", 0.0, 1.0, switch=True),
    Condition("style", "Animated by hand for games, or recorded from people.", choices=STYLES),
    Condition("speed", "Forward speed.", -3.0, 8.0, "m/s"),
    Condition("turn", "Turning speed to the left; loops end facing as they began.", -180.0, 180.0, "degrees/s"),
    Condition(
        "tempo",
        "Repetitions per second of a loop, two steps each; 1 / duration of a single action.",
        0.15,
        3.5,
        "1/s",
    ),
)
COLUMNS = tuple(name for condition in CONDITIONS for name in condition.columns)


MEANINGS = {word: action for action in ACTIONS for word in action.words} | dict.fromkeys(UNCLEAR)


@dataclass(frozen=True)
class ActionMatch:
    """The action that names mean.

    Attributes:
        action: The action, or None.
        reason: The word that decided and where it is, or why there is no action.
    """

    action: Action | None
    reason: str


def find_action(clip: str, file: str = "") -> ActionMatch:
    """Find the action that the names of a clip, its file and the folders around it mean.

    The nearest name with a known word decides.

    Args:
        clip: Name of the clip; a part before "|" is the armature's name, which counts after the rest.
        file: Path of the file.
    """
    for name, where in nearby_names(clip, file):
        if found := find_known_word(name):
            action, word = found
            if action is None:
                return ActionMatch(None, f"the word {word!r} in {where} stands for no single action")
            return ActionMatch(action, f"the word {word!r} in {where}")
    return ActionMatch(None, "neither its name nor a manifest gives its action")


def nearby_names(clip: str, file: str) -> Iterator[tuple[str, str]]:
    """Yield the names of a clip, its file and its folders, the nearest first, and what each is the name of."""
    path = PurePosixPath(file)
    if clip != path.stem:
        yield from ((part, "the clip's name") for part in reversed(clip.split("|")))
    yield path.stem, "the file's name"
    yield from ((folder, f"the name of the folder {folder!r}") for folder in reversed(path.parts[:-1]))


def find_known_word(name: str) -> tuple[Action | None, str] | None:
    """Return the action that a name means and the word that decides; None where it has no known word."""
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
    """Split a name such as "Sword_Slash_01", "runInCircles" or "walk (2)" into lower-case words."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    text = " ".join(re.split(r"[^a-z]+", spaced.lower()))
    for phrase, word in PHRASES:
        text = phrase.sub(word, text)
    return text.split()


def word_rank(word: str) -> int:
    """Return the rank of a known word."""
    action = MEANINGS[word]
    if action is None:
        return UNCLEAR[word]
    return PROP if word in PROPS else HINT if word in HINTS else action.rank


def action_from_text(text: str) -> Action | None:
    """Return the action that a text means, or None; of a path the last part with a known word decides."""
    *folders, name = text.split("/")
    return find_action(name, "/".join((*folders, name))).action


def condition_column(name: str) -> int:
    """Return the index of a column of the conditions."""
    return COLUMNS.index(name)
