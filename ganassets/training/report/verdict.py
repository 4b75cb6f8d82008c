"""What a run's measurings say, in sentences that each show the number they rest on. Never from hope."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from ...api.texts import shell_command
from .files import RunFacts
from .numbers import Record, number, percent, short, thousands

# The thresholds. Real samples against real ones (the floor) are the yardstick wherever the run has measured them.
NEAR = 1.5  # times the floor's distance: two draws of a few hundred real samples differ by up to about a third as well
LEARNT, STUCK = 0.8, 0.2  # of the way from the start's distance to the floor's: most of it; hardly any
FAR = 5.0  # times the floor's distance: however bad the start was, eyes tell these from real ones at once
IMPROVED = 0.05  # of the distance: measurings of networks alike differ by some per cent, so less is no progress
WORSENED, RUINED = 1.15, 1.5  # times the best distance: more than chance; so much that an older state is better
WINDOW = 3  # the last third of the measurings is compared with what came before
FEWEST_MEASURINGS = 4  # fewer tell no trend
COLLAPSED, NARROW = 0.5, 0.8  # spread: half as different as real samples looks like one theme; real sets keep to 0.95
GAPS, SOME_GAPS = 0.3, 0.7  # coverage or recall by the floor's: most kinds of samples are missing; some are
UNREAL, ROUGH = 0.4, 0.7  # precision by the floor's: most samples look like no real one; a good part
# Nearest distance by that of real samples. A blurred sample amid all others comes to 0.71 (they are root 2 times as far
# from one another as from their mean), so that only less than that shows copying.
COPY, CLOSE = 0.5, 0.65
# Of 64 samples that copy nothing, 1 in 100 counts as a copy; 5 (0.08) come about by chance once in 2000 runs.
MANY_COPIES, SOME_COPIES = 0.25, 0.08
FEW_SAMPLES, FEWEST_SAMPLES = 100, 20  # training by heart is the rule below the first; the second is no basis at all


QUESTIONS = {
    "learning": "Did it learn?",
    "progress": "Is it still improving?",
    "likeness": "Do the samples look real?",
    "variety": "Are they as varied as the data?",
    "novelty": "Does it make new things, or copies?",
    "amount of data": "Are there enough training samples?",
    "soundness": "Did the numbers stay sound?",
    "length": "Is the run finished?",
}


class Level(Enum):
    """How good news a finding is; the value is what the page calls it."""

    GOOD = "good"
    MIXED = "so-so"
    POOR = "poor"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Finding:
    """An answer to one question.

    Attributes:
        topic: a key of QUESTIONS.
        level: how good the news is.
        text: the answer, with its numbers.
        advice: what to do next; empty where there is nothing to do.
        command: what to type for it, if there is one thing.
    """

    topic: str
    level: Level
    text: str
    advice: str = ""
    command: str = ""

    @property
    def question(self) -> str:
        """What it answers."""
        return QUESTIONS[self.topic]


@dataclass(frozen=True)
class Curve:
    """A measure over the run, where it was measured: (images, value), ascending."""

    points: tuple[tuple[float, float], ...]

    @property
    def last(self) -> float | None:
        """The newest value."""
        return self.points[-1][1] if self.points else None

    @property
    def best(self) -> tuple[float, float]:
        """(images, value) of the least value."""
        return min(self.points, key=lambda point: point[1])


def curve(records: Sequence[Record], *keys: str) -> Curve:
    """A measure over records."""
    found = ((record["images"], number(record, *keys)) for record in records)
    return Curve(tuple((images, value) for images, value in found if value is not None))


def images_seen(facts: RunFacts) -> float:
    """Images that training had seen when the newest file was written."""
    pictures = [picture.images for picture in facts.grids]
    return max([record["images"] for record in (*facts.log[-1:], *facts.metrics[-1:])] + pictures, default=0)


def images_wanted(facts: RunFacts) -> float | None:
    """Images that the run is to see, by its preset."""
    kimg = number(facts.settings, "preset", "kimg")
    return 1000 * kimg if kimg is not None and kimg > 0 else None


def is_finished(facts: RunFacts) -> bool:
    """Whether the run has seen all its images; True where nobody knows how many."""
    return images_seen(facts) >= (images_wanted(facts) or 0)


def go_on(facts: RunFacts) -> str:
    """What helps where training has not come far enough yet."""
    return "Train longer: start a run with a larger kimg." if is_finished(facts) else "Let it train to its end."


def floor_distance(facts: RunFacts) -> float | None:
    """Distance of real samples from real ones; None where that is no yardstick."""
    return curve(facts.metrics, "floor", "distance").last or None


def learning(facts: RunFacts) -> Finding:
    """Distance against the start and against the floor of real samples."""
    topic, distance = "learning", curve(facts.metrics, "distance")
    floor, now = floor_distance(facts), distance.last
    if now is None:
        return Finding(topic, Level.UNKNOWN, "No distance to the data was measured, so nobody can tell from numbers.")
    first_images, first = distance.points[0]
    numbers = f"The distance to the data is {short(now)}"
    if len(distance.points) > 1:
        numbers += f", after {short(first)} {'at the start' if first_images == 0 else 'at the first measuring'}"
    if floor is not None:
        numbers += f"; two sets of real samples are {short(floor)} apart"
    if len(distance.points) == 1 and first_images == 0:
        return Finding(topic, Level.UNKNOWN, f"{numbers}. Only the untrained start was measured.", go_on(facts))
    if floor is not None and now <= NEAR * floor:
        return Finding(topic, Level.GOOD, f"Yes. {numbers}: this measure can hardly tell them from real ones.")
    if len(distance.points) == 1:
        return _from_one_measuring(topic, numbers, now, floor, go_on(facts))
    way = first - (floor or 0)
    gained = (first - now) / way if way > 0 else 0.0
    numbers += f": {percent(gained)} of the way" if gained > 0 else ": no nearer"
    if gained >= LEARNT and floor is not None and now <= FAR * floor:
        return Finding(topic, Level.GOOD, f"Yes. {numbers}.")
    if gained >= STUCK:
        numbers += "" if floor is None else f", but still {short(now / floor)} times as far as real samples are"
        return Finding(topic, Level.MIXED, f"In part. {numbers}.", go_on(facts))
    advice = "Look whether the data are what you meant; then try a lower learning rate or another gamma."
    return Finding(topic, Level.POOR, f"No. {numbers}.", advice if is_finished(facts) else go_on(facts))


def _from_one_measuring(topic: str, numbers: str, now: float, floor: float | None, advice: str) -> Finding:
    """Without a start to compare with, all there is to go by is the floor."""
    if floor is None:
        return Finding(topic, Level.UNKNOWN, f"{numbers}. There is nothing to compare that with.", advice)
    level = Level.POOR if now > FAR * floor else Level.MIXED
    return Finding(topic, level, f"{numbers}, so {short(now / floor)} times nearer.", advice)


def trend(facts: RunFacts) -> Finding:
    """The best distance of the last third of the measurings against the best before."""
    topic, distance = "progress", curve(facts.metrics, "distance")
    points, floor = distance.points, floor_distance(facts)
    if len(points) < FEWEST_MEASURINGS:
        text = f"It was measured {len(points)} times; {FEWEST_MEASURINGS} are needed to tell."
        return Finding(topic, Level.UNKNOWN, text.replace("1 times", "once").replace("0 times", "never"))
    split = len(points) - max(len(points) // WINDOW, 1)
    (best_images, best), now = distance.best, points[-1][1]
    near = floor is not None and now <= NEAR * floor
    if now > WORSENED * best and not near:
        text = f"No, it has got worse: the distance was {short(best)} at {thousands(best_images)} images and is "
        advice = "In a new run try a higher gamma. Of this one the state that was nearest is kept; take it with:"
        command = shell_command("ganassets", "export", facts.run, "--onnx", "--best")
        level = Level.POOR if now > RUINED * best else Level.MIXED
        return Finding(topic, level, f"{text}{short(now)} now.", advice, command)
    before, after = (Curve(part).best[1] for part in (points[:split], points[split:]))
    since = thousands(points[-1][0] - points[split - 1][0])
    gain = (before - after) / before if before > 0 else 0.0
    if gain > IMPROVED:
        text = f"Yes: over the last {since} images the distance fell by {percent(gain)}, to {short(after)}."
        return Finding(topic, Level.GOOD, text, go_on(facts))
    text = f"No: over the last {since} images the distance "
    text += f"fell by {percent(gain)} only." if gain > 0 else f"did not fall below the {short(before)} before."
    if near:
        return Finding(topic, Level.GOOD, f"{text} It is as near as it can be measured, so it may stop here.")
    advice = "Longer training alone will help little. Try more samples, a larger preset or a lower gamma."
    return Finding(topic, Level.MIXED, text, advice)


def fidelity(facts: RunFacts) -> Finding:
    """Precision against the floor's."""
    topic = "likeness"
    precision = curve(facts.metrics, "precision").last
    floor = curve(facts.metrics, "floor", "precision").last
    if precision is None:
        return Finding(topic, Level.UNKNOWN, "Precision was not measured.")
    text = f"Precision is {short(precision)}: {percent(precision)} of the samples lie where real ones do"
    text += "." if floor is None else f"; of real samples themselves {percent(floor)} do."
    ratio = precision / (floor or 1)
    level = Level.POOR if ratio < UNREAL else Level.MIXED if ratio < ROUGH else Level.GOOD
    return Finding(topic, level, text, "" if level is Level.GOOD else go_on(facts))


def variety(facts: RunFacts) -> Finding:
    """Spread, and coverage and recall against the floor's: has it collapsed?"""
    topic = "variety"
    spread = curve(facts.metrics, "spread").last
    shares = [
        (name, found, found / (curve(facts.metrics, "floor", name).last or 1))
        for name in ("coverage", "recall")
        if (found := curve(facts.metrics, name).last) is not None
    ]
    if spread is None and not shares:
        return Finding(topic, Level.UNKNOWN, "Neither spread nor coverage was measured.")
    parts = [] if spread is None else [f"spread {short(spread)} (real samples: 1)"]
    parts += [f"{name} {percent(found)} ({percent(ratio)} of what real samples reach)" for name, found, ratio in shares]
    numbers = "; ".join(parts).capitalize()
    advice = "More, and more different, training samples help; in a new run try a higher gamma, or stop earlier."
    least = min((ratio for _, _, ratio in shares), default=1.0)
    if spread is not None and spread < COLLAPSED:
        return Finding(topic, Level.POOR, f"No, it has collapsed: the samples are too much alike. {numbers}.", advice)
    if least < GAPS:
        text = f"No: most of what the data show is missing. {numbers}."
        return Finding(topic, Level.POOR, text, advice if is_finished(facts) else go_on(facts))
    if least < SOME_GAPS or (spread is not None and spread < NARROW):
        return Finding(topic, Level.MIXED, f"Not quite. {numbers}.", advice if is_finished(facts) else go_on(facts))
    return Finding(topic, Level.GOOD, f"Yes. {numbers}.")


def memory(facts: RunFacts) -> Finding:
    """Nearest training samples and copies: has it learnt them by heart?"""
    topic = "novelty"
    copies = curve(facts.metrics, "copies").last
    near, real = (curve(facts.metrics, name).last for name in ("nearest", "nearest_real"))
    ratio = near / real if near is not None and real else None
    if copies is None and ratio is None:
        return Finding(topic, Level.UNKNOWN, "Nearest training samples were not measured.")
    parts = []
    if copies is not None:
        parts.append(
            f"{percent(copies)} of the samples lie unusually near a training sample (of real ones {percent(0.01)} do)"
        )
    if ratio is not None:
        parts.append(
            f"the nearest training sample is {short(ratio)} times as far away as real ones are from each other"
        )
    numbers = "; ".join(parts)
    advice = "Look at the pairs below. More training samples help most, then stronger augmentation or a shorter run."
    close = ratio is None or ratio < CLOSE
    if (ratio is not None and ratio < COPY) or (copies is not None and copies >= MANY_COPIES and close):
        return Finding(topic, Level.POOR, f"It copies training samples: {numbers}.", advice)
    if (ratio is not None and close) or (copies is not None and copies >= SOME_COPIES):
        text = f"Some may be copies, or blurred, which looks alike in numbers: {numbers}."
        return Finding(topic, Level.MIXED, text, advice)
    return Finding(topic, Level.GOOD, f"New things: {numbers}.")


def amount(facts: RunFacts) -> Iterator[Finding]:
    """A warning where training samples are few."""
    samples = number(facts.data, "samples")
    if samples is not None and samples < FEW_SAMPLES:
        text = (
            f"No: {thousands(samples)}. Below {FEW_SAMPLES} a generator mostly repeats what it saw, and every measure "
        )
        level = Level.POOR if samples < FEWEST_SAMPLES else Level.MIXED
        advice = "Add samples of the same kind; a few hundred make a difference."
        yield Finding("amount of data", level, f"{text}here is itself uncertain.", advice)


def soundness(facts: RunFacts) -> Iterator[Finding]:
    """Numbers that weren't finite, and going back to a checkpoint because of them."""
    rollbacks = sum(event.get("kind") == "rollback" for event in facts.events)
    counts = {"lines of the log have numbers that aren't finite": facts.nonfinite, "returns to a checkpoint": rollbacks}
    if any(counts.values()):
        text = "; ".join(f"{what}: {count}" for what, count in counts.items() if count)
        advice = (
            "No harm where the curves went on well. If it happens again, try a lower learning rate or a higher gamma."
        )
        yield Finding("soundness", Level.MIXED, f"No. {text.capitalize()}.", advice)


def completeness(facts: RunFacts) -> Iterator[Finding]:
    """A note where the run has not seen all its images."""
    seen, wanted = images_seen(facts), images_wanted(facts)
    if wanted and not is_finished(facts) and (facts.log or facts.metrics or facts.grids):
        text = f"No: it has seen {thousands(seen)} of {thousands(wanted)} images, {percent(seen / wanted)}."
        command = shell_command("ganassets", "train", "--resume", facts.run)
        yield Finding("length", Level.MIXED, text, "If it is not running now, go on with:", command)


ALWAYS: tuple[Callable[[RunFacts], Finding], ...] = (learning, trend, fidelity, variety, memory)
WHERE_IT_APPLIES: tuple[Callable[[RunFacts], Iterator[Finding]], ...] = (amount, soundness, completeness)


def verdict(facts: RunFacts) -> tuple[Finding, ...]:
    """All findings about a run, in the order of reading."""
    always = [find(facts) for find in ALWAYS]
    return (*always, *(finding for find in WHERE_IT_APPLIES for finding in find(facts)))


def headline(findings: Sequence[Finding]) -> tuple[Level, str]:
    """The whole in a sentence: the worst decides, but that a run goes on is no fault of what it has learnt."""
    topics = {level: [f.topic for f in findings if f.level is level and f.topic != "length"] for level in Level}
    poor, mixed = ", ".join(topics[Level.POOR]), ", ".join(topics[Level.MIXED])
    level, sentence = Level.GOOD, "Good, as far as numbers can tell."
    if poor:
        level, sentence = Level.POOR, f"Not good enough. Poor: {poor}.{f' So-so: {mixed}.' if mixed else ''}"
    elif "learning" in topics[Level.UNKNOWN]:
        level, sentence = Level.UNKNOWN, "Not measured: numbers can't tell yet how good it is."
    elif mixed:
        level, sentence = Level.MIXED, f"Usable in part. So-so: {mixed}."
    finished = all(f.topic != "length" for f in findings)
    return level, sentence if finished else f"Not finished. So far: {sentence[0].lower()}{sentence[1:]}"
