"""Start a run from the generator in a model file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from ..api.data import TrainingData
from ..api.errors import InputError
from ..api.manifest import SHARED_KEY
from ..api.spec import Preset
from ..inference.model import check_generator, open_model, read_model_file
from .initialization import fit_preset
from .networks import LinearFit, fit_linear, load_parameters
from .networks.linear import CLUSTER_ARRAYS

if TYPE_CHECKING:
    from ..api.spec import GeneratorSpec
    from .trainer import Trainer

# Start of the names of the linear model's buffers in a generator.
LINEAR_PREFIX = "domain.linear."


@dataclass(frozen=True, eq=False)
class StartModel:
    """Parameters and buffers of a model file that a run starts from.

    Attributes:
        path: The model file.
        arrays: Arrays by the name of the generator's parameter or buffer.
        zeros: Names of parameters that are zero, which the file leaves out.
    """

    path: Path
    arrays: dict[str, NDArray]
    zeros: frozenset[str] = frozenset()

    def fit(self, preset: Preset, data: TrainingData, rng: np.random.Generator) -> LinearFit:
        """Choose the linear model of the run.

        A linear model of the new data takes on their look at once. The model's own is used instead if the data are too
        few for as many components, or if the model's networks have no linear model.

        Args:
            preset: Latents and components.
            data: Training samples.
            rng: Random state.

        Raises:
            InputError: The data have other conditions than the model, or the file lacks a part of its linear model.
        """
        new = fit_preset(preset, data, rng)
        if preset.codes:  # their networks use no linear model
            return new
        own = self.own_fit(data)
        same_shapes = {k: b.shape for k, b in own.bases.items()} == {k: b.shape for k, b in new.bases.items()}
        return new if own.means and same_shapes else own

    def own_fit(self, data: TrainingData) -> LinearFit:
        """Return the model's own linear model and constants; see `fit`."""
        statistics_only = fit_linear(data, 1, 0, np.random.default_rng(0))
        none = np.zeros(0, np.float32)  # a model without conditions may lack their statistics
        statistics = {name: self.arrays.get(f"domain.{name}", none) for name in ("condition_mean", "condition_std")}
        if statistics["condition_mean"].shape != statistics_only.condition_mean.shape:
            raise InputError(f"{self.path} was trained with other sliders or labels than these data have.")
        constants = {name: self.arrays.get(f"domain.{name}", value) for name, value in data.constants.items()}
        for name, value in constants.items():
            if value.shape != data.constants[name].shape:
                raise InputError(f"{self.path} was trained on data of another kind ({name}).")
        constants = {name: copy_float32(value) for name, value in constants.items()}
        fit = replace(statistics_only, **statistics, constants=constants)
        return self.add_linear(fit, data) if f"{LINEAR_PREFIX}offset" in self.arrays else fit

    def add_linear(self, fit: LinearFit, data: TrainingData) -> LinearFit:
        """Return a fit completed with the model's linear model."""
        means = {name: self.linear_buffer(f"mean_{name}") for name in data.signals}
        bases = {}
        for name, mean in means.items():
            scaled = self.linear_buffer(f"basis_{name}") * self.linear_buffer(f"scale_{name}")[:, None]
            size = round((scaled.shape[1] / len(mean)) ** (1 / (mean.ndim - 1)))
            bases[name] = scaled.reshape(-1, len(mean), *[size] * (mean.ndim - 1))
        clusters = CLUSTER_ARRAYS if f"{LINEAR_PREFIX}centres" in self.arrays else ()
        weights = {name: self.linear_buffer(name) for name in ("offset", "from_latent", "from_condition", *clusters)}
        if clusters:
            weights["directions"] = weights["directions"].T.copy()
        return replace(fit, means=means, bases=bases, **weights)

    def linear_buffer(self, name: str) -> NDArray[np.float32]:
        """Return a buffer of the linear model; InputError when the file lacks it."""
        if LINEAR_PREFIX + name not in self.arrays:
            raise InputError(f"{self.path} lacks a part of its linear model ({name}), so no run can start from it.")
        return copy_float32(self.arrays[LINEAR_PREFIX + name])

    def load_into(self, trainer: Trainer) -> None:
        """Load this model's generator into a trainer; the discriminator and the codes of samples stay untrained.

        Raises:
            InputError: The model has other networks than the trainer's preset.
        """
        tensors = {name: torch.from_numpy(copy_float32(array)) for name, array in self.arrays.items()}
        for network in (trainer.generator, trainer.average):
            tensors |= {name: torch.zeros_like(p) for name, p in network.named_parameters() if name in self.zeros}
            tensors |= {name: network.get_parameter(name).detach().clone() for name in network.sample_parameters}
            load_parameters(network, tensors, "", str(self.path))


def copy_float32(array: NDArray) -> NDArray[np.float32]:
    """Return a copy in float32."""
    return np.array(array, np.float32)


def read_start_model(path: Path, spec: GeneratorSpec) -> StartModel:
    """Read the generator in a model file.

    Args:
        path: Model file.
        spec: Generator that the model must be of.

    Raises:
        InputError: The model is of another generator, or the file can't be read.
    """
    import onnx
    from onnx import numpy_helper

    model = open_model(path)
    if model.manifest.generator != spec.name:
        raise InputError(f"{path} is a model of {model.manifest.generator}, not of {spec.name}.")
    check_generator(model, spec)
    proto = onnx.load_model_from_string(read_model_file(path))
    arrays = {one.name: numpy_helper.to_array(one) for one in proto.graph.initializer}
    texts = [one.value for one in proto.metadata_props if one.key == SHARED_KEY]
    try:
        shared = TypeAdapter(dict[str, str]).validate_json(texts[-1] if texts else "{}")
    except ValidationError as error:
        raise InputError(f"{path} carries broken metadata ({SHARED_KEY}).") from error
    copies = {name: arrays[original] for name, original in shared.items() if original in arrays}
    zeros = frozenset(name for name, original in shared.items() if not original)
    return StartModel(path, copies | arrays, zeros)
