"""Parse condition values and check them against a model."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..api.conditions import Condition
from ..api.errors import InputError
from ..api.manifest import Manifest
from ..api.options import SWITCHES
from ..api.texts import suggest_name

# A slider's number, or the shares of a category's choices.
ConditionValue = float | Mapping[str, float]


def parse_condition(condition: Condition, value: str | float | Mapping[str, float]) -> ConditionValue:
    """Read the value of a slider or category.

    Args:
        condition: The slider or category.
        value: A number or its text, yes or no for a switch, a choice, a mix of choices ("asian:0.5,african:0.5"), or
            shares by choice.

    Raises:
        InputError: The value is of the wrong kind.
    """
    if isinstance(value, Mapping):
        return dict(value)
    if not condition.choices:
        return _parse_number(condition.name, value, condition.switch) if isinstance(value, str) else float(value)
    shares: dict[str, float] = {}
    for part in str(value).split(","):
        choice, colon, share = map(str.strip, part.partition(":"))
        if choice in shares:
            raise InputError(f"{condition.name} names {choice} twice.")
        shares[choice] = _parse_number(condition.name, share) if colon else 1.0
    return shares


def _parse_number(name: str, text: str, switch: bool = False) -> float:
    try:
        return float(SWITCHES[text.lower()] if switch else text)
    except (ValueError, KeyError) as error:
        raise InputError(f"{name} takes {'yes or no' if switch else 'a number'}, not {text!r}.") from error


def find_condition(conditions: Sequence[Condition], name: str) -> Condition:
    """Return the condition with a name; InputError with the nearest name where there is none."""
    known = {condition.name: condition for condition in conditions}
    if name not in known:
        raise InputError(f"there is no slider {name!r}; {suggest_name(name, list(known))}")
    return known[name]


def encode_conditions(conditions: Sequence[Condition], values: Mapping[str, ConditionValue]) -> NDArray[np.float32]:
    """Encode values as a row of the `condition` input.

    Args:
        conditions: Conditions of the model.
        values: Values by condition name; shares of choices are scaled to a sum of 1.

    Returns:
        (c,) float32 physical values; NaN for conditions without a value.

    Raises:
        InputError: A name or choice is unknown, or a value is out of range.
    """
    for name in values:
        find_condition(conditions, name)
    parts = [
        _encode_condition(condition, values[condition.name]) if condition.name in values else [np.nan] * condition.width
        for condition in conditions
    ]
    return np.array([value for part in parts for value in part], np.float32)


def _encode_condition(condition: Condition, value: ConditionValue) -> list[float]:
    """Return the numbers of one condition's columns."""
    if isinstance(value, Mapping) != bool(condition.choices):
        kind = f"one of {', '.join(condition.choices)}" if condition.choices else "a number"
        raise InputError(f"{condition.name} takes {kind}.")
    if not isinstance(value, Mapping):
        if not condition.low <= value <= condition.high:
            unit = f" {condition.unit}" if condition.unit else ""
            raise InputError(f"{condition.name} {value:g} is outside {condition.low:g}..{condition.high:g}{unit}.")
        return [float(value)]
    for choice, share in value.items():
        if choice not in condition.choices:
            raise InputError(f"{condition.name} has no {choice!r}; {suggest_name(choice, list(condition.choices))}")
        if not 0 <= share < np.inf:
            raise InputError(f"{condition.name}: the share of {choice} must be a positive number, not {share:g}.")
    total = sum(value.values())
    if not total > 0:
        raise InputError(f"{condition.name}: at least one share must be above 0.")
    return [value.get(choice, 0.0) / total for choice in condition.choices]


def check_learned(manifest: Manifest, values: Mapping[str, ConditionValue]) -> None:
    """Check that the training data has samples of the choices and switches, and of their combination.

    Raises:
        InputError: No sample of the data has a choice, or all of them together.
    """
    # For each condition with discrete values: the label, the column and the value there of each that is asked for.
    discrete: list[list[tuple[str, int, float]]] = []
    start = 0
    for condition in manifest.conditions:
        columns = manifest.rows[:, start : start + condition.width]
        value = values.get(condition.name)
        if isinstance(value, Mapping):
            chosen = [i for i, choice in enumerate(condition.choices) if value.get(choice, 0) > 0]
            _check_choices(condition, chosen, columns)
            if np.isin(columns, (0, 1)).all():  # a category that is mixed in the data combines with anything
                discrete.append([(f"{condition.name} {condition.choices[i]}", start + i, 1.0) for i in chosen])
        elif condition.switch and value is not None:
            discrete.append([(condition.name if value else f"no-{condition.name}", start, float(value))])
        start += condition.width
    for combination in itertools.product(*discrete):
        if not np.all([manifest.rows[:, column] == value for _, column, value in combination], axis=0).any():
            names = " with ".join(name for name, _, _ in combination)
            raise InputError(f"this model has not learnt {names}; leave one of them out.")


def _check_choices(condition: Condition, chosen: Sequence[int], columns: NDArray[np.float32]) -> None:
    """Raise InputError where no row (r, choices) of the data has one of the chosen choices."""
    learned = [bool((column > 0).any()) for column in columns.T]
    for i in chosen:
        if not learned[i]:
            known = ", ".join(choice for choice, is_known in zip(condition.choices, learned, strict=True) if is_known)
            raise InputError(f"this model has not learnt {condition.name} {condition.choices[i]}; it knows {known}.")
