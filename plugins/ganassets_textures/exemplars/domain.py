"""The domain of materials from exemplars: their cells, the sliders' effects, and views for the feature network."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ganassets.api.spec import Preset
from ganassets.training.networks import Domain, LinearFit

from .cells import CELL, HEIGHT_UNIT, MARGIN, NOISE_CHANNELS
from .sliders import HUE, LIGHTNESS, RELIEF, ROUGHNESS, SATURATION, SLIDERS

# Weights of colour, normals and other maps in the distance of samples.
VIEW_WEIGHTS = (4.0, 4.0, 2.0)
SHARES = ("roughness", "metallic")
MAX_HEIGHT = 16.0  # texels
# Arrays that the model file carries for layouts.
CARRIED = ("guide", "guide_scale", "level_factors", "level_mean", "exemplars", "texel_size")


class ExemplarDomain(Domain):
    """Domain of materials from exemplars.

    A raw sample is albedo, roughness and metallic about [0, 1], and height in units of two texels.
    """

    codes: Tensor
    steps: Tensor
    mean: Tensor
    texel_log: Tensor
    shown: Tensor

    def __init__(self, preset: Preset, fit: LinearFit) -> None:
        super().__init__(fit)
        self.signals, self.vectors = {"albedo": 3, "height": 1, "roughness": 1, "metallic": 1}, {}
        self.wraps, self.size, self.network_size = (True, True), None, preset.network_size
        self.stride, self.noise_channels, self.white_channels = CELL, NOISE_CHANNELS, 1
        arrays = {name: torch.from_numpy(array) for name, array in fit.constants.items()}
        self.register_buffer("codes", arrays["codes"].to(torch.int8))
        self.register_buffer("steps", arrays["code_steps"])
        self.register_buffer("mean", arrays["cell_mean"])
        for name in CARRIED:
            self.register_buffer(name, arrays[name])
        self.register_buffer("texel_log", arrays["texel_size"].log())
        low, high = (arrays[name].tolist() for name in ("map_low", "map_high"))
        self.share_ranges = {name: (low[i], high[i]) for i, name in enumerate(self.signals, 2) if name in SHARES}
        self.materials = len(arrays["texel_size"])
        # The networks don't see the sliders, which are applied to finished maps and are neutral in all samples.
        self.register_buffer("shown", (torch.arange(len(self.condition_mean)) < self.materials).float())
        self.view_channels = 9
        rows, columns = arrays["exemplars"][:, 1].max(), arrays["exemplars"][:, 2].max()
        self.window_of = CELL * max(int(min(rows, columns)), 2 * preset.network_size // CELL)

    def standardise(self, condition: Tensor) -> Tensor:
        """Scale (n, c) shares to about zero mean and unit variance; sliders become 0."""
        return super().standardise(condition) * self.shown

    @property
    def margin(self) -> int:
        """Texels that are made and cropped around a training sample."""
        return MARGIN

    def maps_at(self, places: Tensor) -> Tensor:
        """Return the (n, 6, h, w) maps of the cells at (n, 1, rows, columns) indices."""
        index = places[:, 0].round().clamp(0, len(self.codes) - 1).long()
        components = self.codes[index].float().permute(0, 3, 1, 2)
        cells = functional.conv2d(components, self.steps[..., None, None], self.mean)
        return functional.pixel_shuffle(cells, CELL)

    def feature_views(self, raw: dict[str, Tensor]) -> list[Tensor]:
        """Return three images: colour, normals, and height with roughness and metallic."""
        height = raw["height"]
        others = torch.cat([height / 2 + 0.5, raw["roughness"], raw["metallic"]], 1)
        return [raw["albedo"], normals(height * HEIGHT_UNIT) / 2 + 0.5, others]

    def distance(self, a: dict[str, Tensor], b: dict[str, Tensor]) -> Tensor:
        """Return the (n,) weighted mean absolute difference of colours, normals and other maps."""
        pairs = zip(self.feature_views(a), self.feature_views(b), VIEW_WEIGHTS, strict=True)
        parts = [weight * (x - y).abs().flatten(1).mean(1) for x, y, weight in pairs]
        return torch.stack(parts).sum(0)

    def finish(self, raw: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
        """Apply the sliders; return colours and shares in [0, 1], and the height in metres."""
        sliders = {name: condition[:, self.materials + i, None, None, None] for i, name in enumerate(SLIDERS)}
        shares = condition[:, : self.materials].clamp_min(0)
        shares = shares / shares.sum(1, keepdim=True).clamp_min(1e-6)
        texel = (shares @ self.texel_log).exp()[:, None, None, None]
        height = (raw["height"] * HEIGHT_UNIT * sliders[RELIEF]).clamp(-MAX_HEIGHT, MAX_HEIGHT)
        # So the network adds nothing to maps that are constant in all exemplars.
        roughness, metallic = (torch.clamp(raw[name], *self.share_ranges[name]) for name in ("roughness", "metallic"))
        return {
            "albedo": adjust_colour(raw["albedo"], sliders[HUE], sliders[SATURATION], sliders[LIGHTNESS]).clamp(0, 1),
            "height": height * texel,
            "roughness": (roughness + sliders[ROUGHNESS]).clamp(0, 1),
            "metallic": metallic,
        }

    def view(self, raw: dict[str, Tensor]) -> Tensor:
        """Return the (n, 9, h, w) images of the feature network together."""
        return torch.cat(self.feature_views(raw), 1)

    def model_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the exemplars that the plugin lays out; see ganassets_textures.exemplars.noise."""
        arrays = {name: self.get_buffer(name).cpu().numpy() for name in CARRIED}
        return {**arrays, "guide": arrays["guide"].astype(np.int8), "exemplars": arrays["exemplars"].astype(np.int32)}


def adjust_colour(albedo: Tensor, hue: Tensor, saturation: Tensor, lightness: Tensor) -> Tensor:
    """Turn, saturate and lighten (n, 3, h, w) sRGB by (n, 1, 1, 1) sliders.

    The hue turns about the grey axis (Rodrigues' rotation formula), which keeps the mean of the channels.
    """
    turn = 2 * math.pi * hue
    cosine, sine = turn.cos(), turn.sin()
    grey = albedo.mean(1, keepdim=True)
    chroma = albedo - grey
    red, green, blue = chroma[:, :1], chroma[:, 1:2], chroma[:, 2:]
    across = torch.cat([blue - green, red - blue, green - red], 1) / math.sqrt(3)
    return grey + saturation * (cosine * chroma + sine * across) + lightness


def normals(height: Tensor) -> Tensor:
    """Return the (n, 3, h, w) unit normals, +Y up, of (n, 1, h, w) wrapping heights in texels."""
    right, down = ((height.roll(-1, axis) - height.roll(1, axis)) / 2 for axis in (3, 2))
    length = torch.rsqrt(1 + right.square() + down.square())
    return torch.cat([-right * length, down * length, length], 1)
