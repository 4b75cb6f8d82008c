"""Conditions of a generator: named sliders and categories. Importing this needs the standard library alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Condition:
    """A named slider, or a choice among categories; a category may also be a mix ("asian:0.5,african:0.5").

    Generators declare their conditions with this class, and model files store them in their manifests.

    Attributes:
        name: Name of the option, as in "age".
        help: One line: what the condition changes.
        low: Lowest value of a slider; unused by categories.
        high: Highest value of a slider; unused by categories.
        unit: Unit of a slider's values, such as "years", or "".
        choices: Names of the categories; empty for a slider.
        switch: Whether a slider from 0 to 1 is a yes-or-no option, because the data have no values between.

    >>> age = Condition("age", "Age of the person.", 8.0, 85.0, "years")
    >>> age.columns
    ('age',)
    >>> Condition("tint", "Main colour.", choices=("red", "green")).columns
    ('tint:red', 'tint:green')
    """

    name: str
    help: str = ""
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    choices: tuple[str, ...] = ()
    switch: bool = False

    @property
    def width(self) -> int:
        """Number of columns in the model's `condition` input: 1, or one per category."""
        return len(self.choices) or 1

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns: ("age",) or ("ancestry:african", ...)."""
        return tuple(f"{self.name}:{choice}" for choice in self.choices) or (self.name,)
