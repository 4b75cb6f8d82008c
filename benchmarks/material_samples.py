"""Materials of a model and of the painter as pictures, and the features that they are compared by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ganassets.api.assets import TextureSet
from ganassets.api.latents import condition_row, latent
from ganassets.api.provenance import Provenance
from ganassets.api.spec import GeneratorSpec
from ganassets.inference.conditions import ConditionValue, encode_conditions
from ganassets.inference.model import Model
from ganassets.inference.pipeline import Inputs, seed_noise
from ganassets.training.evaluation.features import ImageFeatures, image_features, scale_to_images
from ganassets.training.evaluation.measures import Features, principal_axes
from ganassets_textures.materials import COLUMNS
from ganassets_textures.painted_samples import round_scale
from ganassets_textures.painter import Z_DIM, draw_sliders, paint_material
from ganassets_textures.samples import condition_values
from ganassets_textures.spatial_noise import pattern_noise, pattern_of

FloatArray = NDArray[np.float32]
Arrays = dict[str, FloatArray]

BATCH = 8
HEIGHTS = (-8.0, 8.0)  # texels drawn as black and as white
AXES = 64


@dataclass(frozen=True, eq=False)
class ModelSampler:
    """A model of textures and the settings of its samples.

    Attributes:
        model: Model file.
        spec: Its generator.
        truncation: Truncation of all samples.
    """

    model: Model
    spec: GeneratorSpec
    truncation: float

    @property
    def size(self) -> int:
        """Rows and columns of the model's training samples."""
        assert self.model.manifest.noise is not None
        return self.model.manifest.noise.size

    @property
    def stride(self) -> int:
        """Number that sizes are multiples of, in texels."""
        assert self.model.manifest.noise is not None
        return self.model.manifest.noise.stride

    def inputs(self, seed: int, size: tuple[int, int], values: Mapping[str, ConditionValue] | None = None) -> Inputs:
        """Return the network's inputs for a seed."""
        manifest = self.model.manifest
        row = condition_row(seed, manifest.rows, encode_conditions(manifest.conditions, values or {}))
        return Inputs(latent(seed, manifest.z_dim), row, seed_noise(manifest, self.spec, seed, row, size))

    def run(self, inputs: Sequence[Inputs]) -> Arrays:
        """Run the network."""
        z, condition, noise = (np.stack([getattr(one, name) for one in inputs]) for name in ("z", "condition", "noise"))
        return self.model.run(z, condition, self.truncation, noise=noise)

    def decode(self, inputs: Sequence[Inputs], arrays: Arrays) -> list[TextureSet]:
        """Decode the network's outputs into materials."""
        provenances = [Provenance(sliders=dict(zip(COLUMNS, map(float, one.condition), strict=True))) for one in inputs]
        return self.spec.decode(arrays, self.model.manifest, ["material"] * len(inputs), provenances, {})  # pyright: ignore

    def materials(self, asked: Sequence[Inputs]) -> Iterator[TextureSet]:
        """Generate the materials of inputs of one size, a batch at a time."""
        for start in range(0, len(asked), BATCH):
            part = asked[start : start + BATCH]
            yield from self.decode(part, self.run(part))

    def pictures(self, materials: Sequence[str | None], first_seed: int, size: int) -> Arrays:
        """Generate pictures of consecutive seeds, each of its class of material, or of any class for None."""
        inputs = []
        for seed, material in enumerate(materials, first_seed):
            values: dict[str, ConditionValue] = {"material": {material: 1.0}} if material else {}
            inputs.append(self.inputs(seed, (size, size), values))
        assets = list(self.materials(inputs))
        albedo = np.stack([asset.albedo.transpose(2, 0, 1) for asset in assets])
        return {"albedo": albedo, "height": np.stack([asset.height[None] / asset.texel_size for asset in assets])}


def paint_pictures(materials: Sequence[str], seed: int, size: int) -> Arrays:
    """Paint pictures, each of its class of material, with sliders and latents drawn as for training."""
    albedo, height = [], []
    for i, material in enumerate(materials):
        rng = np.random.default_rng([seed, i])
        sliders, z = round_scale(draw_sliders(material, rng), size), rng.normal(size=Z_DIM).astype(np.float32)
        row = np.array(condition_values(material, sliders), np.float32)
        maps = paint_material(
            material, sliders, z, pattern_noise(int(rng.integers(0, 2**62)), pattern_of(row), (size, size))
        )
        albedo.append(maps.albedo)
        height.append(maps.height[None])
    return {"albedo": np.stack(albedo), "height": np.stack(height)}


class MaterialFeatures:
    """Features of albedo (n, 3, h, w) in [0, 1] and height (n, 1, h, w) in texels, with equal weights.

    EfficientNet-Lite0's features of each map, on the principal axes of reference materials, are scaled to unit total
    variance there.
    """

    def __init__(self, network: ImageFeatures, reference: Arrays) -> None:
        self.network = network
        self.axes = {}
        for name, features in self.raw(reference).items():
            mean, axes = principal_axes(features, AXES)
            self.axes[name] = mean, axes / np.sqrt(((features - mean) @ axes).var(0).sum())

    def raw(self, pictures: Arrays) -> dict[str, Features]:
        """Compute the (n, 1280) features of each map."""
        shown = {"albedo": pictures["albedo"], "height": scale_to_images(pictures["height"], *HEIGHTS)}
        return {name: image_features(self.network, images) for name, images in shown.items()}

    def __call__(self, pictures: Arrays) -> Features:
        """Compute the (n, 128) features of materials."""
        parts = [(f - self.axes[name][0]) @ self.axes[name][1] for name, f in self.raw(pictures).items()]
        return np.concatenate(parts, 1)


class Discriminant:
    """Linear discriminant analysis (Fisher 1936) with equal priors.

    The covariance within the classes is shrunk towards a sphere (Friedman 1989, "Regularized Discriminant Analysis").
    """

    def __init__(self, features: Features, labels: NDArray[np.int64], shrinkage: float = 0.1) -> None:
        means = np.stack([features[labels == label].mean(0) for label in range(labels.max() + 1)])
        residual = features - means[labels]
        within = residual.T @ residual / len(residual)
        within += shrinkage * np.trace(within) / len(within) * np.eye(len(within))
        self.weights = np.linalg.solve(within, means.T)
        self.offsets = -0.5 * (means.T * self.weights).sum(0)

    def __call__(self, features: Features) -> NDArray[np.int64]:
        """Return the (n,) likeliest class of each sample."""
        return (features @ self.weights + self.offsets).argmax(1)
