"""Draw random batches of real samples, with the latents and noise maps of the fakes that they are paired with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..api.data import TrainingData
from ..api.spec import NoiseMap, Preset
from .distributed import DistributedContext
from .networks import Domain


@dataclass(frozen=True)
class Batch:
    """Real samples that go through a step together.

    Attributes:
        raw: Signals and vectors by name. For a size-free generator also "noise", and "mask" where the data have masks.
        condition: (n, c) physical condition values.
        z: (n, z_dim) latents of the fakes.
        has_latents: Whether z, condition and noise determine the real samples, so that the generator can reproduce
            them.
        tiles: Whether the samples wrap as the spec says.
    """

    raw: dict[str, Tensor]
    condition: Tensor
    z: Tensor
    has_latents: bool
    tiles: bool


@dataclass(frozen=True, eq=False)
class SampleGroup:
    """Indices of samples that may share a batch; see Batch for the flags."""

    index: np.ndarray
    has_latents: bool
    tiles: bool


def group_samples(data: TrainingData) -> list[SampleGroup]:
    """Group samples by whether their latents are known and whether they tile; empty groups are left out."""
    n = len(data)
    latents = np.zeros(n, bool) if data.latents is None else np.isfinite(data.latents).any(1)
    tiles = np.ones(n, bool) if data.tiles is None else data.tiles
    groups = [
        SampleGroup(np.flatnonzero((latents == with_latents) & (tiles == tiling)), with_latents, tiling)
        for with_latents in (True, False)
        for tiling in (True, False)
    ]
    return [group for group in groups if len(group.index)]


class BatchSampler:
    """Draws batches from a run's random states.

    Args:
        preset: Batch size, z_dim and share of paired steps.
        domain: The plugin's domain.
        data: Training samples.
        groups: Samples that may share a batch.
        noise_map: Makes the noise maps of a size-free generator.
        context: Processes that train together; each gets its rows of the batch.
        device: Where the batches go.
        seed: Random seed.

    Attributes:
        index_state: Random state of the samples and of the noise maps' seeds.
        latent_state: Random state of latents; rolls and augmentations use it too.
    """

    def __init__(
        self,
        preset: Preset,
        domain: Domain,
        data: TrainingData,
        groups: list[SampleGroup],
        noise_map: NoiseMap,
        context: DistributedContext,
        device: torch.device,
        seed: int,
    ) -> None:
        self.preset, self.domain, self.data, self.groups = preset, domain, data, groups
        self.noise_map, self.context, self.device = noise_map, context, device
        self.index_state = np.random.Generator(np.random.Philox(seed))
        self.latent_state = torch.Generator().manual_seed(seed)

    def draw(self, require_latents: bool = False) -> Batch:
        """Draw a batch from one group of samples.

        Args:
            require_latents: Leave out samples without known latents.
        """
        groups = [group for group in self.groups if group.has_latents or not require_latents]
        sizes = np.array([len(group.index) for group in groups], np.float64)
        group = groups[int(self.index_state.choice(len(groups), p=sizes / sizes.sum()))]
        index = self.context.shard(group.index[self.index_state.integers(0, len(group.index), self.preset.batch)])
        signals, vectors, condition = self.data.batch(index)
        raw = {name: torch.from_numpy(a).to(self.device) for name, a in (signals | vectors).items()}
        if self.data.masks is not None:
            raw["mask"] = torch.from_numpy(self.data.masks[index]).to(self.device)
        if self.domain.size is None:
            raw["noise"] = self.draw_noise(index, condition, group.tiles)
        z = self.draw_latents()
        paired = group.has_latents and (require_latents or self.draw_paired())
        if paired:
            z = self.insert_latents(z, index)
        return Batch(raw, torch.from_numpy(condition).to(self.device), z, paired, group.tiles)

    def draw_latents(self) -> Tensor:
        """Return this process's rows of (batch, z_dim) normals."""
        normals = torch.randn(self.preset.batch, self.preset.z_dim, generator=self.latent_state)
        return self.context.shard(normals).to(self.device)

    def draw_paired(self) -> bool:
        """Decide whether samples with known latents meet the fakes of these latents in this step."""
        return self.preset.paired >= 1 or bool(self.index_state.random() < self.preset.paired)

    def insert_latents(self, z: Tensor, index: np.ndarray) -> Tensor:
        """Replace random latents (n, z_dim) by those that are known of the samples."""
        assert self.data.latents is not None
        known = torch.from_numpy(self.data.latents[index]).to(self.device)
        known = torch.cat([known, torch.full_like(z[:, known.shape[1] :], torch.nan)], 1)
        return torch.where(known.isnan(), z, known)

    def draw_noise(self, index: np.ndarray, condition: np.ndarray, tiles: bool) -> Tensor:
        """Make the noise maps of samples; crops get the domain's margin around them, because they don't wrap."""
        seeds = self.data.noise_seeds
        if seeds is None:
            numbers = self.context.shard(self.index_state.integers(0, 2**62, self.preset.batch))
        else:
            numbers = seeds[index]
        length = self.domain.network_size + (0 if tiles else 2 * self.domain.margin)
        size = (length,) * len(self.domain.wraps)
        maps = [self.noise_map(int(seed), row, size) for seed, row in zip(numbers, condition, strict=True)]
        noise = np.stack(maps)
        if self.data.structure is not None:
            structure = self.data.structure[index]
            noise[:, -structure.shape[1] :] = structure
        return torch.from_numpy(noise).to(self.device)
