"""The domain of textures: raw samples, what the generator starts from and what the discriminator sees."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ganassets.api.spec import Preset
from ganassets.training.networks import Domain, LinearFit

from .exemplars.domain import ExemplarDomain
from .materials import CLASSES, COLUMNS, MATERIAL_CLASSES, METALS
from .spatial_noise import CHANNELS, STRUCTURE, WHITE

HEIGHT_UNIT = 4.0  # texels of height by unit of the networks' output
MAX_HEIGHT = 16.0  # texels
LEAST_CONTRAST = 0.1  # of the maps, about the least that counts
STRIDE = 16
MAP_CHANNELS = 8
# Columns that the networks don't see: the noise map shows the width of units, and samples cut the widest units short.
HIDDEN = ("aspect",)


def hsl_to_rgb(hue: Tensor, saturation: Tensor, lightness: Tensor) -> Tensor:
    """Convert (n, 1) hue, saturation and lightness in [0, 1] to (n, 3) sRGB.

    Source: Joblove and Greenberg 1978, "Color Spaces for Computer Graphics".
    """
    turn = 6 * hue
    wheel = torch.cat([(turn - 3).abs() - 1, 2 - (turn - 2).abs(), 2 - (turn - 4).abs()], 1).clamp(0, 1)
    return lightness + saturation * (1 - (2 * lightness - 1).abs()) * (wheel - 0.5)


def make_domain(preset: Preset, fit: LinearFit) -> Domain:
    """Build the domain of the data: of exemplars where there are any, else of painted materials."""
    return ExemplarDomain(preset, fit) if "codes" in fit.constants else TexturesDomain(preset, fit)


class TexturesDomain(Domain):
    """Domain of materials.

    A raw sample is albedo, roughness and metallic about [0, 1], and height in texels, so that slopes don't depend on
    the scale.
    """

    pattern_log: Tensor
    shown: Tensor

    def __init__(self, preset: Preset, fit: LinearFit) -> None:
        super().__init__(fit)
        self.signals, self.vectors = {"albedo": 3, "height": 1, "roughness": 1, "metallic": 1}, {}
        self.wraps, self.size, self.network_size = (True, True), None, preset.network_size
        self.stride, self.noise_channels, self.white_channels = STRIDE, len(CHANNELS), WHITE.stop
        self.view_channels = 4 * MAP_CHANNELS + STRUCTURE.stop - STRUCTURE.start
        patterns = [MATERIAL_CLASSES[name].unit_height for name in CLASSES]
        self.register_buffer("pattern_log", torch.tensor(np.log(patterns), dtype=torch.float32))
        self.register_buffer("shown", torch.tensor([float(column not in HIDDEN) for column in COLUMNS]))

    def standardise(self, condition: Tensor) -> Tensor:
        """Scale (n, c) physical conditions to about zero mean and unit variance; hidden columns become 0."""
        return super().standardise(condition) * self.shown

    @property
    def view_size(self) -> int:
        """Half the size: 2 x 2 texels are one place with four times the channels, which saves time."""
        return self.network_size // 2

    def centre(self, residual: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
        """Add the networks' residual to a flat material with the sliders' colour and roughness."""
        hue, saturation, lightness, roughness = (
            condition[:, COLUMNS.index(name), None] for name in ("hue", "saturation", "lightness", "roughness")
        )
        metals = [condition[:, COLUMNS.index(f"material:{name}"), None] for name in METALS]
        return {
            "albedo": residual["albedo"] + hsl_to_rgb(hue, saturation, lightness)[..., None, None],
            "height": residual["height"] * HEIGHT_UNIT,
            "roughness": residual["roughness"] + roughness[..., None, None],
            "metallic": residual["metallic"] + torch.cat(metals, 1).sum(1)[:, None, None, None],
        }

    def texel_size(self, condition: Tensor) -> Tensor:
        """Return the (n, 1, 1, 1) width of a texel in metres, from physical conditions."""
        shares = condition[:, : len(CLASSES)]
        scale = condition[:, COLUMNS.index("scale")]
        return (torch.exp(shares @ self.pattern_log) / scale)[:, None, None, None]

    def finish(self, raw: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
        """Convert raw samples to outputs, with the height in metres."""
        height = raw["height"].clamp(-MAX_HEIGHT, MAX_HEIGHT) * self.texel_size(condition)
        clamped = {name: raw[name].clamp(0, 1) for name in ("albedo", "roughness", "metallic")}
        return {"albedo": clamped["albedo"], "height": height, **clamped}

    def maps(self, raw: dict[str, Tensor]) -> Tensor:
        """Return (n, 8, h, w) maps of about unit variance.

        Channels are albedo, height, slopes as the normal's x and y, roughness and metallic.
        """
        height = raw["height"]
        slopes = torch.cat([height.roll(-1, axis) - height.roll(1, axis) for axis in (3, 2)], 1) / 2
        normal = slopes * torch.rsqrt(1 + slopes.square().sum(1, keepdim=True))
        roughness, metallic = (raw["roughness"] - 0.5) * 4, (raw["metallic"] - 0.5) * 2
        return torch.cat([(raw["albedo"] - 0.5) * 4, height / HEIGHT_UNIT, 3 * normal, roughness, metallic], 1)

    def distance(self, a: dict[str, Tensor], b: dict[str, Tensor]) -> Tensor:
        """Return the (n,) mean differences of the maps, relative to the contrast of b's.

        Without that, materials of little contrast, such as marble, would count for nothing beside rocks. Large
        differences count more than their size, because veins and chips cover few texels.
        """
        first, second = self.maps(a), self.maps(b)
        error = (first - second).abs()
        contrast = (second - second.mean((2, 3), keepdim=True)).abs().flatten(1).mean(1)
        return (error + 4 * error.square() / (1 + error)).flatten(1).mean(1) / (contrast + LEAST_CONTRAST)

    def view(self, raw: dict[str, Tensor]) -> Tensor:
        """Return what the discriminator sees: (n, channels, size / 2, size / 2).

        Channels are the maps and the noise map's structure.
        """
        structure = functional.avg_pool2d(raw["noise"][:, STRUCTURE], 2)
        return torch.cat([functional.pixel_unshuffle(self.maps(raw), 2), structure], 1)
