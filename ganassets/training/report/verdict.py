"""Judge a run by its measures, in sentences that each show the numbers behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from ...api.texts import shell_command
from .files import RunFacts
from .numbers import Record, number, percent, short, thousands

# Thresholds. "Floor" is a measure of real samples against other real ones, if the run measured it. docs/measures.md has
# the table of real samples, image quilting and noise that the thresholds rest on.

# Distance by the floor's up to which a run is near; two draws of a few hundred real samples differ by a third as well.
NEAR = 1.5
# Share of the way from the start's distance to the floor's: most of it, and hardly any.
LEARNT, STUCK = 0.8, 0.2
# Distance by the floor's beyond which people see at once that the samples are not real, however bad the start was.
# Quilting stays below 2.3; noise in the colours of the data begins at 2.7 and is typically at 8.
FAR = 3.0
# Relative change of the distance that counts as progress; repeated measures of similar networks differ by some percent.
IMPROVED = 0.05
# Distance by the best one: worse than by chance, and so much worse that an older checkpoint is better.
WORSENED, RUINED = 1.15, 1.5
# The last 1 / WINDOW of the measures is compared with the measures before.
WINDOW = 3
# Fewest measures that show a trend.
MIN_MEASURES = 4
# Spread: half of real samples' looks like a single motif; sets of real samples stay above 0.95.
COLLAPSED, NARROW = 0.5, 0.8
# Coverage or recall by the floor's: most kinds of samples are missing, and some are.
GAPS, SOME_GAPS = 0.3, 0.7
# Precision by the floor's: most samples look unlike any real one, and many do. Noise is typically at 0.
UNREAL, ROUGH = 0.4, 0.7
# Structure by the floor's. Quilting is typically at 1, and above 0.6; noise is typically at 0, and at 0.45 at most.
SHAPELESS, LOOSE = 0.45, 0.7
# Pyramid distance by the floor's. Quilting is at 1.6 at most; noise in the colours of the data is typically at 2.4.
COARSE, ROUGH_DETAIL = 2.0, 1.6
# Nearest distance by that of real samples. A blurred sample in the middle of all others has 0.71, because samples are
# sqrt(2) times as far from each other as from their mean; only less than that shows copying.
COPY, CLOSE = 0.5, 0.65
# Without copying, 1 in 100 samples counts as a copy; a share of 0.08 (5 of 64) occurs by chance in 1 of 2000 runs.
MANY_COPIES, SOME_COPIES = 0.25, 0.08
# Below the first, memorization is usual; below the second, measures mean nothing.
FEW_SAMPLES, MIN_SAMPLES = 100, 20

QUESTIONS = {
    "learning": "Did it learn?",
    "progress": "Is it still improving?",
    "likeness": "Do the samples look real?",
    "structure": "Do they have the data's structure?",
    "detail": "Are the details those of the data?",
    "variety": "Are they as varied as the data?",
    "novelty": "Does it make new samples, or copies?",
    "amount of data": "Are there enough training samples?",
    "soundness": "Did all numbers stay finite?",
    "length": "Is the run finished?",
}

# What is wrong when the answer is poor, for the headline, which names only the first ones.
MOST_FAULTS = 3
FAULTS = {
    "learning": "the samples are far from the data",
    "progress": "the samples got worse",
    "likeness": "most samples look unlike any real one",
    "structure": "the samples lack the data's structure",
    "detail": "the samples' details are not those of the data",
    "variety": "most of the data's variety is missing",
    "novelty": "the samples are copies of training samples",
    "amount of data": "there are too few training samples",
}


class Level(Enum):
    """Rating of a finding; the value is its name on the page."""

    GOOD = "good"
    MIXED = "so-so"
    POOR = "poor"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Finding:
    """The answer to one question.

    Attributes:
        topic: Key of QUESTIONS.
        level: Rating.
        text: Answer with its numbers.
        advice: What to do next; empty when nothing is needed.
        command: Command for the advice; empty without one.
    """

    topic: str
    level: Level
    text: str
    advice: str = ""
    command: str = ""

    @property
    def question(self) -> str:
        """The question that it answers."""
        return QUESTIONS[self.topic]


@dataclass(frozen=True)
class Curve:
    """A measure over the run, as (images, value) by ascending images."""

    points: tuple[tuple[float, float], ...]

    @property
    def last(self) -> float | None:
        """Newest value."""
        return self.points[-1][1] if self.points else None

    @property
    def best(self) -> tuple[float, float]:
        """Return (images, value) of the smallest value."""
        return min(self.points, key=lambda point: point[1])


def curve(records: Sequence[Record], *keys: str) -> Curve:
    """Return the curve of a measure, under a key or a path of keys."""
    found = ((record["images"], number(record, *keys)) for record in records)
    return Curve(tuple((images, value) for images, value in found if value is not None))


def images_seen(facts: RunFacts) -> float:
    """Return the number of images that training had seen when the newest file was written."""
    snapshots = [snapshot.images for snapshot in facts.grids]
    return max([record["images"] for record in (*facts.log[-1:], *facts.metrics[-1:])] + snapshots, default=0)


def target_images(facts: RunFacts) -> float | None:
    """Return the number of images in the full run; None when its preset is unknown."""
    kimg = number(facts.settings, "preset", "kimg")
    return 1000 * kimg if kimg is not None and kimg > 0 else None


def is_finished(facts: RunFacts) -> bool:
    """Return whether the run has seen all its images; True when their number is unknown."""
    return images_seen(facts) >= (target_images(facts) or 0)


def advise_longer_training(facts: RunFacts) -> str:
    """Return advice for a run that has not trained for long enough."""
    return "Train longer: start a run with a larger kimg." if is_finished(facts) else "Let it train to its end."


def floor_distance(facts: RunFacts) -> float | None:
    """Return the distance of real samples from other real ones; None when it was not measured or is 0."""
    return curve(facts.metrics, "floor", "distance").last or None


def learning(facts: RunFacts) -> Finding:
    """Compare the distance with the start and with the floor."""
    topic, distance = "learning", curve(facts.metrics, "distance")
    floor, now = floor_distance(facts), distance.last
    if now is None:
        return Finding(topic, Level.UNKNOWN, "No distance to the data was measured, so the numbers can't answer this.")
    first_images, first = distance.points[0]
    numbers = f"The distance to the data is {short(now)}"
    if len(distance.points) > 1:
        numbers += f", after {short(first)} {'at the start' if first_images == 0 else 'at the first measurement'}"
    if floor is not None:
        numbers += f"; two sets of real samples are {short(floor)} apart"
    if len(distance.points) == 1 and first_images == 0:
        return Finding(
            topic, Level.UNKNOWN, f"{numbers}. Only the untrained start was measured.", advise_longer_training(facts)
        )
    if floor is not None and now <= NEAR * floor:
        return Finding(topic, Level.GOOD, f"Yes. {numbers}: by this measure they are almost like real ones.")
    if len(distance.points) == 1:
        return _judge_single_measure(topic, numbers, now, floor, advise_longer_training(facts))
    distance_to_floor = first - (floor or 0)
    gained = (first - now) / distance_to_floor if distance_to_floor > 0 else 0.0
    numbers += f": {percent(gained)} of the way" if gained > 0 else ": no nearer"
    if gained >= LEARNT and floor is not None and now <= FAR * floor:
        return Finding(topic, Level.GOOD, f"Yes. {numbers}.")
    if gained >= STUCK:
        numbers += "" if floor is None else f", but still {short(now / floor)} times as far as real samples are"
        return Finding(topic, Level.MIXED, f"In part. {numbers}.", advise_longer_training(facts))
    advice = "Check that the data are the intended ones; train longer, or with a larger preset."
    return Finding(
        topic, Level.POOR, f"No. {numbers}.", advice if is_finished(facts) else advise_longer_training(facts)
    )


def _judge_single_measure(topic: str, numbers: str, now: float, floor: float | None, advice: str) -> Finding:
    """Compare the only measure with the floor, because no start was measured."""
    if floor is None:
        return Finding(topic, Level.UNKNOWN, f"{numbers}. Nothing to compare it with was measured.", advice)
    level = Level.POOR if now > FAR * floor else Level.MIXED
    return Finding(topic, level, f"{numbers}, which is {short(now / floor)} times nearer.", advice)


def trend(facts: RunFacts) -> Finding:
    """Compare the best distance in the last third of the measures with the best one before."""
    topic, distance = "progress", curve(facts.metrics, "distance")
    points, floor = distance.points, floor_distance(facts)
    if len(points) < MIN_MEASURES:
        text = f"It was measured {len(points)} times; a trend needs {MIN_MEASURES} measures."
        return Finding(topic, Level.UNKNOWN, text.replace("1 times", "once").replace("0 times", "never"))
    split = len(points) - max(len(points) // WINDOW, 1)
    (best_images, best), now = distance.best, points[-1][1]
    is_near = floor is not None and now <= NEAR * floor
    if now > WORSENED * best and not is_near:
        text = f"No, it has got worse: the distance was {short(best)} at {thousands(best_images)} images and is "
        advice = "In a new run try a higher gamma. The nearest state of this run is kept; export it with:"
        command = shell_command("ganassets", "export", facts.run, "--onnx", "--best")
        level = Level.POOR if now > RUINED * best else Level.MIXED
        return Finding(topic, level, f"{text}{short(now)} now.", advice, command)
    before, after = (Curve(part).best[1] for part in (points[:split], points[split:]))
    since = thousands(points[-1][0] - points[split - 1][0])
    gain = (before - after) / before if before > 0 else 0.0
    if gain > IMPROVED:
        text = f"Yes: over the last {since} images the distance fell by {percent(gain)}, to {short(after)}."
        return Finding(topic, Level.GOOD, text, advise_longer_training(facts))
    text = f"No: over the last {since} images the distance "
    text += f"fell by {percent(gain)} only." if gain > 0 else f"did not fall below the {short(before)} before."
    if is_near:
        return Finding(topic, Level.GOOD, f"{text} It can't be measured nearer than this, so training may stop here.")
    advice = "Longer training alone will help little. Try more samples, a larger preset or a lower gamma."
    return Finding(topic, Level.MIXED, text, advice)


def fidelity(facts: RunFacts) -> Finding:
    """Compare precision with the floor's."""
    topic = "likeness"
    precision = curve(facts.metrics, "precision").last
    floor = curve(facts.metrics, "floor", "precision").last
    if precision is None:
        return Finding(topic, Level.UNKNOWN, "Precision was not measured.")
    text = f"Precision is {short(precision)}: {percent(precision)} of the samples are near real ones"
    text += "." if floor is None else f"; of other real samples {percent(floor)} are."
    ratio = precision / (floor or 1)
    level = Level.POOR if ratio < UNREAL else Level.MIXED if ratio < ROUGH else Level.GOOD
    return Finding(topic, level, text, "" if level is Level.GOOD else advise_longer_training(facts))


def structure(facts: RunFacts) -> Iterator[Finding]:
    """Compare the structure of materials with the floor's; none where it was not measured."""
    now, floor = (curve(facts.metrics, *keys).last for keys in (("structure",), ("floor", "structure")))
    if now is None:
        return
    peaks = curve(facts.metrics, "peaks").last
    text = f"Structure is {short(now)}: 0 is noise with the data's spectrum, 1 is real"
    text += "" if floor is None else f"; other real samples reach {short(floor)}"
    if peaks is not None:
        text += f". Of the repeats in the data, such as courses and joints, {percent(peaks)} are there"
    ratio = now / (floor or 1)
    level = Level.POOR if ratio < SHAPELESS else Level.MIXED if ratio < LOOSE else Level.GOOD
    advice = f"{advise_longer_training(facts)} If that doesn't help, train on fewer materials."
    yield Finding("structure", level, f"{text}.", "" if level is Level.GOOD else advice)


def detail(facts: RunFacts) -> Iterator[Finding]:
    """Compare the pyramid distance with the floor's; none where one of them was not measured."""
    now, floor = (curve(facts.metrics, *keys).last for keys in (("pyramid",), ("floor", "pyramid")))
    if now is None or not floor:
        return
    ratio = now / floor
    text = f"Patches at all scales differ by {short(now)} % of the data's contrast, and between real samples by "
    text += f"{short(floor)} %: {short(ratio)} times as much."
    level = Level.POOR if ratio > COARSE else Level.MIXED if ratio > ROUGH_DETAIL else Level.GOOD
    yield Finding("detail", level, text, "" if level is Level.GOOD else advise_longer_training(facts))


def variety(facts: RunFacts) -> Finding:
    """Judge mode collapse by the spread, and by coverage and recall relative to the floor's."""
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
    advice = "More and more varied training samples help; in a new run try a higher gamma, or stop earlier."
    least = min((ratio for _, _, ratio in shares), default=1.0)
    if spread is not None and spread < COLLAPSED:
        return Finding(topic, Level.POOR, f"No, it has collapsed: the samples are too similar. {numbers}.", advice)
    if least < GAPS:
        text = f"No: most of the data's variety is missing. {numbers}."
        return Finding(topic, Level.POOR, text, advice if is_finished(facts) else advise_longer_training(facts))
    if least < SOME_GAPS or (spread is not None and spread < NARROW):
        return Finding(
            topic,
            Level.MIXED,
            f"Not quite. {numbers}.",
            advice if is_finished(facts) else advise_longer_training(facts),
        )
    return Finding(topic, Level.GOOD, f"Yes. {numbers}.")


def memorization(facts: RunFacts) -> Finding:
    """Judge memorization by nearest training samples and copies."""
    topic = "novelty"
    copies = curve(facts.metrics, "copies").last
    near, real = (curve(facts.metrics, name).last for name in ("nearest", "nearest_real"))
    ratio = near / real if near is not None and real else None
    if copies is None and ratio is None:
        return Finding(topic, Level.UNKNOWN, "Nearest training samples were not measured.")
    parts = []
    if copies is not None:
        parts.append(
            f"{percent(copies)} of the samples are unusually near a training sample (of real ones {percent(0.01)} are)"
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
        text = f"Some may be copies, or blurred, which these numbers can't distinguish: {numbers}."
        return Finding(topic, Level.MIXED, text, advice)
    return Finding(topic, Level.GOOD, f"New samples: {numbers}.")


def amount(facts: RunFacts) -> Iterator[Finding]:
    """Warn of few training samples."""
    samples = number(facts.data, "samples")
    if samples is not None and samples < FEW_SAMPLES:
        text = (
            f"No: {thousands(samples)}. Below {FEW_SAMPLES} a generator mostly repeats what it saw, and every measure "
        )
        level = Level.POOR if samples < MIN_SAMPLES else Level.MIXED
        advice = "Add samples of the same kind; a few hundred make a difference."
        yield Finding("amount of data", level, f"{text}here is uncertain.", advice)


def soundness(facts: RunFacts) -> Iterator[Finding]:
    """Report numbers that were not finite, and returns to a checkpoint because of them."""
    rollbacks = sum(event.get("kind") == "rollback" for event in facts.events)
    counts = {"lines of the log have numbers that aren't finite": facts.nonfinite, "returns to a checkpoint": rollbacks}
    if any(counts.values()):
        text = "; ".join(f"{what}: {count}" for what, count in counts.items() if count)
        advice = (
            "It does no harm if the curves recovered. If it happens again, try a lower learning rate or a higher gamma."
        )
        yield Finding("soundness", Level.MIXED, f"No. {text.capitalize()}.", advice)


def completeness(facts: RunFacts) -> Iterator[Finding]:
    """Report that the run has not seen all its images."""
    seen, target = images_seen(facts), target_images(facts)
    if target and not is_finished(facts) and (facts.log or facts.metrics or facts.grids):
        text = f"No: it has seen {thousands(seen)} of {thousands(target)} images, {percent(seen / target)}."
        command = shell_command("ganassets", "train", "--resume", facts.run)
        yield Finding("length", Level.MIXED, text, "If it is not running now, continue with:", command)


ALWAYS: tuple[Callable[[RunFacts], Finding], ...] = (learning, trend, fidelity, variety, memorization)
IF_APPLICABLE: tuple[Callable[[RunFacts], Iterator[Finding]], ...] = (
    structure,
    detail,
    amount,
    soundness,
    completeness,
)


def verdict(facts: RunFacts) -> tuple[Finding, ...]:
    """Return all findings about a run, in the order of the page."""
    always = [find(facts) for find in ALWAYS]
    found = [*always, *(finding for find in IF_APPLICABLE for finding in find(facts))]
    order = list(QUESTIONS)
    return tuple(sorted(found, key=lambda finding: order.index(finding.topic)))


def headline(findings: Sequence[Finding]) -> tuple[Level, str]:
    """Return rating and sentence for the run; the worst finding decides, except that an unfinished run is no fault.

    When the run is not good enough, the sentence says so first, then what is wrong and what to do.
    """
    by_level = {level: [f for f in findings if f.level is level and f.topic != "length"] for level in Level}
    poor, mixed = by_level[Level.POOR], ", ".join(f.topic for f in by_level[Level.MIXED])
    finished = all(f.topic != "length" for f in findings)
    if poor:
        faults = "; ".join(FAULTS[f.topic] for f in poor[:MOST_FAULTS])
        advice = next((f.advice for f in poor if f.advice), "")
        return Level.POOR, f"Not good enough{'' if finished else ' so far'}: {faults}. {advice}".rstrip()
    level, sentence = Level.GOOD, "Good, as far as numbers can tell."
    if any(f.topic == "learning" for f in by_level[Level.UNKNOWN]):
        level, sentence = Level.UNKNOWN, "Not measured yet: the numbers don't show how good it is."
    elif mixed:
        level, sentence = Level.MIXED, f"Usable in part. So-so: {mixed}."
    return level, sentence if finished else f"Not finished. So far: {sentence[0].lower()}{sentence[1:]}"
