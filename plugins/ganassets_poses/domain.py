"""Training domain of motion (torch): what the networks' outputs mean, and what the discriminator sees."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from ganassets.api.assets import CONTACTS
from ganassets.api.motion.skeletons import HUMANOID
from ganassets.api.spec import Preset
from ganassets.training.networks import Domain, LinearFit

from .actions import ACTION_NAMES, COLUMNS
from .signals import JOINTS, PLACE_SCALE, REST_HEIGHT, ROOT, ROOT_SCALE, ROTATION_SCALE
from .structure import CHANNELS, FPS, MARGIN, STRIDE, WHITE

STRUCTURE = len(CHANNELS) - WHITE
FOOT_WEIGHT = 2.0  # weight of the feet's speeds; the speeds of all joints in m/s have about unit variance
FEET = tuple(HUMANOID.names.index(f"{side}{part}") for side in ("left", "right") for part in ("Foot", "Toes"))


class PosesDomain(Domain):
    """Raw samples are root, rotations (orthonormal columns) and contacts, see ganassets_poses.signals.

    The latent is mapped to coordinates of motions (principal components of all segments) by the statistics of its
    group, so that the same coordinates mean the same motion in every group.
    """

    means: Tensor
    slopes: Tensor
    loadings: Tensor
    offsets: Tensor
    speed_weight: Tensor

    def __init__(self, preset: Preset, fit: LinearFit) -> None:
        super().__init__(fit)
        self.signals, self.vectors = {"root": len(ROOT), "rotations": 6 * JOINTS, "contacts": len(CONTACTS)}, {}
        self.wraps, self.size, self.network_size = (True,), None, preset.network_size
        self.stride, self.noise_channels, self.white_channels = STRIDE, len(CHANNELS), WHITE
        self.view_channels = len(ROOT) + 6 * JOINTS + len(CONTACTS) + 6 * JOINTS + STRUCTURE
        for name in ("means", "slopes", "loadings"):
            self.register_buffer(name, torch.tensor(fit.constants[name]))
        self.register_buffer("offsets", torch.tensor(HUMANOID.offsets))
        weight = torch.ones(JOINTS, 1, 1)
        weight[list(FEET)] = FOOT_WEIGHT
        self.register_buffer("speed_weight", weight, persistent=False)

    @property
    def margin(self) -> int:
        """Frames on both sides of a training sample that are generated and cut off."""
        return MARGIN

    def embedded_width(self, z_dim: int) -> int:
        """Return the number of coordinates of a motion."""
        del z_dim  # the coordinates are those of the data
        return self.means.shape[1]

    def embed(self, z: Tensor, condition: Tensor) -> Tensor:
        """Return the coordinates (n, k) of motions: the group's mean, moved by the conditions and the latent."""
        physical = self.unstandardise(condition)
        actions, loop = physical[:, : len(ACTION_NAMES)], physical[:, len(ACTION_NAMES), None]
        groups = torch.cat([actions * (1 - loop), actions * loop], 1)
        free = condition[:, len(ACTION_NAMES) + 1 :]
        varying = torch.cat([free, z], 1)
        maps = torch.cat([self.slopes, self.loadings], 1)  # (groups, c + z, k)
        by_group = (varying @ maps.permute(1, 0, 2).flatten(1)).unflatten(1, maps.shape[::2])
        return ((by_group + self.means) * groups[:, :, None]).sum(1)

    def centre(self, residual: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
        """Return raw samples of residuals; a residual of 0 is the rest pose that travels as the conditions say."""
        speed = condition[:, COLUMNS.index("speed"), None, None]
        turn = condition[:, COLUMNS.index("turn"), None, None] * (math.pi / 180)
        forward, left, turning, height = (
            residual["root"].narrow(1, i, 1) * scale for i, scale in enumerate(ROOT_SCALE)
        )
        return {
            "root": torch.cat([forward + speed, left, turning + turn, height + REST_HEIGHT], 1),
            "rotations": orthonormal_columns(residual["rotations"] * ROTATION_SCALE),
            "contacts": torch.sigmoid(2 * residual["contacts"]),
        }

    def finish(self, raw: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
        """Return the outputs of a raw sample, which are the same."""
        del condition  # `centre` has used them
        return raw

    def places(self, rotations: Tensor, height: Tensor) -> Tensor:
        """Return the joints' positions (n, 22, 3, f) in metres, relative to where the figure stands and faces."""
        n, _, frames = rotations.shape
        columns = rotations.reshape(n, JOINTS, 2, 3, frames)
        first, second = columns[:, :, 0], columns[:, :, 1]
        matrices = torch.stack([first, second, torch.linalg.cross(first, second, dim=2)], 3)  # (n, j, 3, 3, f)
        turned: list[Tensor] = []
        placed: list[Tensor] = []
        for joint, parent in enumerate(HUMANOID.parents):
            local = matrices[:, joint]
            if parent < 0:
                turned.append(local)
                placed.append(torch.cat([torch.zeros_like(height), height, torch.zeros_like(height)], 1))
                continue
            above = turned[parent]
            turned.append((above[:, :, :, None] * local[:, None]).sum(2))
            placed.append(placed[parent] + (above * self.offsets[joint, None, :, None]).sum(2))
        return torch.stack(placed, 1)

    def speeds(self, places: Tensor, root: Tensor) -> Tensor:
        """Return the joints' velocities (n, 22, 3, f) over the ground in m/s, in the figure's frame.

        The last frame repeats the one before.
        """
        step = (places[..., 1:] - places[..., :-1]) * FPS
        step = torch.cat([step, step[..., -1:]], -1)
        forward, left, turn = (root[:, i, None] for i in range(3))
        x, _, z = places.unbind(2)
        carried = torch.stack([left + turn * z, torch.zeros_like(x), forward - turn * x], 2)
        return step + carried

    def parts(self, raw: dict[str, Tensor]) -> list[Tensor]:
        """Return root, rotations, contacts, positions and velocities, each (n, channels, f) of about unit variance."""
        root, rotations = raw["root"], raw["rotations"]
        places = self.places(rotations, root[:, 3:])
        speeds = self.speeds(places, root) * self.speed_weight
        rest = torch.eye(3, device=root.device)[:2].flatten().repeat(JOINTS)[:, None]
        scale = root.new_tensor(ROOT_SCALE)[:, None]
        mean = root.new_tensor([0.5, 0, 0, REST_HEIGHT])[:, None]
        return [
            (root - mean) / scale,
            (rotations - rest) / ROTATION_SCALE,
            2 * raw["contacts"] - 1,
            (places - places.new_tensor([0, REST_HEIGHT, 0])[:, None]).flatten(1, 2) / PLACE_SCALE,
            speeds.flatten(1, 2),
        ]

    def distance(self, a: dict[str, Tensor], b: dict[str, Tensor]) -> Tensor:
        """Return the mean absolute difference (n,) of two samples, with equal weight for each of `parts`."""
        pairs = zip(self.parts(a), self.parts(b), strict=True)
        return torch.stack([(x - y).abs().flatten(1).mean(1) for x, y in pairs]).mean(0)

    def view(self, raw: dict[str, Tensor]) -> Tensor:
        """Return what the discriminator sees (n, 275, f): all `parts`, and the structure of the noise map."""
        return torch.cat([*self.parts(raw), raw["noise"][:, WHITE:]], 1)


def orthonormal_columns(residual: Tensor) -> Tensor:
    """Return two orthonormal columns of each rotation (n, 132, f), by Gram-Schmidt, from residuals to no rotation."""
    n, _, frames = residual.shape
    columns = residual.reshape(n, JOINTS, 2, 3, frames)
    rest = torch.eye(3, device=residual.device)[:2, :, None]
    first, second = (columns + rest).unbind(2)
    first = functional.normalize(first, dim=2)
    second = second - (first * second).sum(2, keepdim=True) * first
    second = functional.normalize(second, dim=2)
    return torch.stack([first, second], 2).reshape(n, 6 * JOINTS, frames)
