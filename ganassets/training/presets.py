"""Choose the preset of a run. Importing this loads neither torch nor onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..api.errors import InputError
from ..api.spec import GeneratorSpec, Preset, with_overrides

# Thousand images after which a model has visibly moved to other data; some minutes on two cores.
FINE_TUNE_KIMG = 4.0
# Factor of the preset's learning rates, and divisor of its gamma. With higher rates or a weaker penalty, the untrained
# discriminator spoils what the generator has learned.
FINE_TUNE_RATE = 0.2
# Thousand images of the same where every picture has a learned code, because codes are learned from the beginning.
CODES_FINE_TUNE_KIMG = 15.0


def choose_preset(spec: GeneratorSpec, name: str | None, model: Path | None, has_data: bool, **changes: Any) -> Preset:
    """Choose the preset of a run.

    Args:
        spec: Generator to train.
        name: Name of the preset; None for the generator's default, or with a model for that of its training.
        model: Model file that the run starts from, or None.
        has_data: Whether the user gave data to learn from.
        changes: Fields to replace; None keeps the preset's.

    Raises:
        InputError: There is no such preset, or the model is of another generator.
    """
    if name:
        return with_overrides(spec.preset(name), **changes)
    if model is not None:
        return with_overrides(fine_tuning_preset(model, spec), **changes)
    default = spec.preset(spec.data_preset) if has_data and spec.data_preset else spec.presets[0]
    return with_overrides(default, **changes)


def fine_tuning_preset(model: Path, spec: GeneratorSpec) -> Preset:
    """Return the preset that a model was trained with, with length, rates and gamma for fine-tuning."""
    from ..inference.model import CPU, open_model  # loads onnxruntime

    manifest = open_model(model, providers=[CPU]).manifest
    if manifest.generator != spec.name:
        raise InputError(f"{model} is a model of {manifest.generator}, not of {spec.name}.")
    preset = spec.preset(manifest.training.preset)
    if preset.codes:
        return with_overrides(preset, kimg=min(CODES_FINE_TUNE_KIMG, preset.kimg))
    return with_overrides(
        preset,
        kimg=FINE_TUNE_KIMG,
        learning_rate=FINE_TUNE_RATE * preset.learning_rate,
        regression_rate=FINE_TUNE_RATE * preset.regression_rate,
        gamma=preset.gamma / FINE_TUNE_RATE,
    )
