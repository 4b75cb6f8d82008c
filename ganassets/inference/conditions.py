"""What a user says of the assets to make: seeds, sliders, choices."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..api.conditions import Condition
from ..api.errors import InputError
from ..api.latents import MAX_SEED, condition_row
from ..api.manifest import Manifest
from ..api.options import SWITCHES
from ..api.texts import nearest

MAX_SEEDS = 1_000_000

# A slider's value, or the shares of a category's choices.
Wish = float | Mapping[str, float]


def parse_seeds(text: str) -> tuple[int, ...]:
    """Seeds of "7", "1-200" or "1,5,9-12", each once, in the order written; InputError says what is wrong."""
    ranges = [_seed_range(part.strip()) for part in text.split(",")]
    if sum(last - first + 1 for first, last in ranges) > MAX_SEEDS:
        raise InputError(f"seeds {text!r} are more than {MAX_SEEDS:,}; ask for fewer at a time.")
    return tuple(dict.fromkeys(seed for first, last in ranges for seed in range(first, last + 1)))


def _seed_range(part: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]{1,19})(?:-([0-9]{1,19}))?", part)
    if not match:
        raise InputError(f"seeds {part!r} make no sense; write 7, 1-200 or 1,5,9-12 (whole numbers from 0).")
    first, last = int(match[1]), int(match[2] or match[1])
    if first > last:
        raise InputError(f"seeds {part!r} run backwards; write {last}-{first}.")
    if last > MAX_SEED:
        raise InputError(f"seed {last} is larger than {MAX_SEED}.")
    return first, last


def wanted_row(conditions: Sequence[Condition], wishes: Mapping[str, Wish]) -> NDArray[np.float32]:
    """(c,) float32 the wishes as a row of the `condition` input, NaN where there is none.

    Raises:
        InputError: a name or choice is unknown, or a value is out of range.
    """
    known = {condition.name: condition for condition in conditions}
    for name in wishes:
        if name not in known:
            raise InputError(f"there is no slider {name!r}; {nearest(name, list(known))}")
    parts = [
        _wanted_columns(condition, wishes[name]) if name in wishes else [np.nan] * condition.width
        for name, condition in known.items()
    ]
    return np.array([value for part in parts for value in part], np.float32)


def check_learnt(manifest: Manifest, wishes: Mapping[str, Wish]) -> None:
    """InputError where choices and switches are wished for that no sample of the model's data had, or none together."""
    start = 0
    wished: list[list[tuple[str, int, float]]] = []  # of each condition: what is wished, its column and value there
    for condition in manifest.conditions:
        columns = manifest.rows[:, start : start + condition.width]
        wish = wishes.get(condition.name)
        if isinstance(wish, Mapping):
            chosen = [i for i, choice in enumerate(condition.choices) if wish.get(choice, 0) > 0]
            known = [choice for i, choice in enumerate(condition.choices) if (columns[:, i] > 0).any()]
            for choice in (condition.choices[i] for i in chosen):
                if choice not in known:
                    raise InputError(
                        f"this model has not learnt {condition.name} {choice}; it knows {', '.join(known)}."
                    )
            if np.isin(columns, (0, 1)).all():  # what is mixed in the data goes with anything
                wished.append([(f"{condition.name} {condition.choices[i]}", start + i, 1.0) for i in chosen])
        elif condition.switch and wish is not None:
            wished.append([(condition.name if wish else f"no-{condition.name}", start, float(wish))])
        start += condition.width
    for together in itertools.product(*wished):
        if not np.all([manifest.rows[:, column] == value for _, column, value in together], axis=0).any():
            names = " with ".join(name for name, _, _ in together)
            raise InputError(f"this model has not learnt {names}; leave one of them out.")


def _wanted_columns(condition: Condition, wish: Wish) -> list[float]:
    """Values of one condition's columns."""
    if isinstance(wish, Mapping) != bool(condition.choices):
        kind = f"one of {', '.join(condition.choices)}" if condition.choices else "a number"
        raise InputError(f"{condition.name} takes {kind}.")
    if not isinstance(wish, Mapping):
        if not condition.low <= wish <= condition.high:
            unit = f" {condition.unit}" if condition.unit else ""
            raise InputError(f"{condition.name} {wish:g} is outside {condition.low:g}..{condition.high:g}{unit}.")
        return [float(wish)]
    for choice, share in wish.items():
        if choice not in condition.choices:
            raise InputError(f"{condition.name} has no {choice!r}; {nearest(choice, list(condition.choices))}")
        if not 0 <= share < np.inf:
            raise InputError(f"{condition.name}: the share of {choice} must be a positive number, not {share:g}.")
    total = sum(wish.values())
    if not total > 0:
        raise InputError(f"{condition.name}: at least one share must be above 0.")
    return [wish.get(choice, 0.0) / total for choice in condition.choices]


def condition_matrix(manifest: Manifest, seeds: Sequence[int], wanted: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, c) float32 physical values: for each seed a likely combination that keeps to the wishes."""
    return np.stack([condition_row(seed, manifest.rows, wanted) for seed in seeds])


def parse_wishes(manifest: Manifest, texts: Mapping[str, str]) -> dict[str, Wish]:
    """Wishes of texts by slider: numbers, yes or no for switches, choices and mixes ("asian:0.5,african:0.5")."""
    known = {condition.name: condition for condition in manifest.conditions}
    for name in texts:
        if name not in known:
            raise InputError(f"there is no slider {name!r}; {nearest(name, list(known))}")
    return {name: parse_wish(known[name], text) for name, text in texts.items()}


def parse_wish(condition: Condition, text: str) -> Wish:
    """What one text wishes of a slider or category."""
    if not condition.choices:
        return _number(condition.name, text, condition.switch)
    shares: dict[str, float] = {}
    for part in text.split(","):
        choice, colon, share = map(str.strip, part.partition(":"))
        if choice in shares:
            raise InputError(f"{condition.name} names {choice} twice.")
        shares[choice] = _number(condition.name, share) if colon else 1.0
    return shares


def _number(name: str, text: str, switch: bool = False) -> float:
    try:
        return float(SWITCHES[text.lower()] if switch else text)
    except (ValueError, KeyError) as error:
        raise InputError(f"{name} takes {'yes or no' if switch else 'a number'}, not {text!r}.") from error


def parse_size(text: str | None) -> tuple[int, ...] | None:
    """Rows and columns of "1024x512", which names the width first, or of one number for both."""
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,6})(?:x([0-9]{1,6}))?", text.strip().lower())
    if not match or not int(match[1]) or not int(match[2] or 1):
        raise InputError(f"--size takes WIDTHxHEIGHT, such as 1024x512, or one number, not {text!r}.")
    width = int(match[1])
    return int(match[2] or width), width
