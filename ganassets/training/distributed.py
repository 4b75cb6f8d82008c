"""The processes that train one generator together, each with its share of every batch (Lightning Fabric).

Every process draws the same whole batch from the same random state and computes on its rows of it; gradients are the
mean over all. As the networks look at each sample by itself and the penalties are means over samples, the sum of what
the processes do is what one process would do.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from ..api.errors import GanassetsError, InputError

if TYPE_CHECKING:
    from lightning_fabric import Fabric

T = TypeVar("T")
# By which torchrun tells the processes that it starts who they are.
TORCHRUN = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RUN_ID")


class Team:
    """Who is in it: one process by itself unless a Fabric says otherwise."""

    def __init__(self, fabric: Fabric | None = None) -> None:
        self.fabric = fabric
        self.rank = fabric.global_rank if fabric else 0
        self.size = fabric.world_size if fabric else 1

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes files and talks."""
        return self.rank == 0

    def share(self, rows: Any) -> Any:
        """This process's rows of a whole batch's array or tensor."""
        return rows if self.size == 1 else rows[self.rank :: self.size]

    def mean(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors by their means over all processes, in one exchange."""
        if self.size == 1 or not tensors:
            return
        flat = torch.cat([t.flatten() for t in tensors])
        self._exchange(lambda fabric: fabric.all_reduce(flat, reduce_op="sum"))
        start = 0
        for tensor in tensors:
            tensor.copy_(flat[start : start + tensor.numel()].reshape(tensor.shape) / self.size)
            start += tensor.numel()

    def any(self, flag: bool) -> bool:
        """Whether it is so in any process."""
        told = torch.tensor([float(flag)])
        self.mean([told])
        return bool(told.item() > 0)

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            self._exchange(lambda fabric: fabric.barrier())

    def _exchange(self, what: Callable[[Fabric], Any]) -> None:
        """Talk to the others; GanassetsError when one of them is gone."""
        assert self.fabric is not None
        try:
            what(self.fabric)
        except RuntimeError as error:
            atexit.register(leave)
            raise GanassetsError(
                "one of the processes that train together has stopped, so the run ends here; "
                "go on from its last checkpoint with --resume."
            ) from error


def leave() -> None:
    """End this process at once, when all is said: while Python shuts down, threads of a broken process group may abort
    it, and its exit code would be theirs.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(GanassetsError.exit_code)


def check_share(batch: int, processes: int) -> None:
    """InputError where so many processes can't share a batch evenly."""
    if batch % processes:
        raise InputError(f"{processes} devices can't share a batch of {batch}; use a divisor of it.")


def in_torchrun() -> bool:
    """Whether torchrun started this process."""
    return all(name in os.environ for name in TORCHRUN)


def make_team(device: str, devices: int) -> Team:
    """The processes of a run; starts those that aren't there yet, each with this process's command line.

    Args:
        device: "cpu", "cuda", ...
        devices: processes on this machine. What torchrun starts says itself how many there are on all.

    Raises:
        InputError: Lightning Fabric is not installed, or there aren't as many devices.
    """
    if devices == 1 and not in_torchrun():
        return Team()
    try:
        from lightning_fabric import Fabric
        from lightning_fabric.strategies.ddp import DDPStrategy
    except ImportError as error:
        raise InputError('several devices need one more package: pip install "ganassets[distributed]".') from error
    kind = device.partition(":")[0]
    nodes = int(os.environ.get("GROUP_WORLD_SIZE", 1))
    processes = int(os.environ["LOCAL_WORLD_SIZE"]) if in_torchrun() else devices
    try:
        fabric = Fabric(accelerator=kind, devices=processes, num_nodes=nodes, strategy=DDPStrategy())
        fabric.launch()
    except (RuntimeError, ValueError) as error:
        raise InputError(f"{processes} devices of kind {kind!r} can't be used here ({error}).") from error
    return Team(fabric)
