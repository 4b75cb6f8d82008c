"""Train one generator in several processes, each on its share of every batch (Lightning Fabric).

Every process draws the same full batch from the same random state, and computes on its rows of it. Gradients are
averaged over all processes. The networks look at each sample alone and the penalties are means over samples, so
together the processes compute what one process would.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..api.errors import GanassetsError, InputError

if TYPE_CHECKING:
    from lightning_fabric import Fabric

# Environment variables that torchrun sets to the rank and the number of processes.
TORCHRUN = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RUN_ID")


class DistributedContext:
    """This process's place among the processes that train together; a single process without a Fabric.

    Attributes:
        rank: Number of this process, from 0.
        world_size: Number of processes.
    """

    def __init__(self, fabric: Fabric | None = None) -> None:
        self.fabric = fabric
        self.rank = fabric.global_rank if fabric else 0
        self.world_size = fabric.world_size if fabric else 1

    @property
    def is_main_process(self) -> bool:
        """Return whether this process writes the run's files and prints."""
        return self.rank == 0

    def shard(self, rows: Any) -> Any:
        """Return this process's rows of a full batch's array or tensor."""
        return rows if self.world_size == 1 else rows[self.rank :: self.world_size]

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors by their means over all processes, in one exchange."""
        if self.world_size == 1 or not tensors:
            return
        flat = torch.cat([t.flatten() for t in tensors])
        self._communicate(lambda fabric: fabric.all_reduce(flat, reduce_op="sum"))
        start = 0
        for tensor in tensors:
            tensor.copy_(flat[start : start + tensor.numel()].reshape(tensor.shape) / self.world_size)
            start += tensor.numel()

    def any_process(self, flag: bool) -> bool:
        """Return whether the flag is set in any process."""
        flags = torch.tensor([float(flag)])
        self.average([flags])
        return bool(flags.item() > 0)

    def barrier(self) -> None:
        """Wait until all processes are here."""
        if self.world_size > 1:
            self._communicate(lambda fabric: fabric.barrier())

    def _communicate(self, exchange: Callable[[Fabric], Any]) -> None:
        """Exchange data with the other processes; GanassetsError when one of them has stopped."""
        assert self.fabric is not None
        try:
            exchange(self.fabric)
        except RuntimeError as error:
            atexit.register(exit_at_once)
            raise GanassetsError(
                "one of the processes that train together has stopped, so the run ends here; "
                "continue from its last checkpoint with --resume."
            ) from error


def exit_at_once() -> None:
    """End this process without Python's shutdown.

    At shutdown, threads of a broken process group may abort the process, which would replace its exit code.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(GanassetsError.exit_code)


def check_batch_size(batch: int, processes: int) -> None:
    """Raise InputError when the processes can't share a batch evenly."""
    if batch % processes:
        raise InputError(f"{processes} devices can't share a batch of {batch}; use a divisor of it.")


def in_torchrun() -> bool:
    """Return whether torchrun started this process."""
    return all(name in os.environ for name in TORCHRUN)


def make_distributed_context(device: str, devices: int) -> DistributedContext:
    """Join the processes of a run; start those that don't run yet, each with this process's command line.

    Args:
        device: "cpu", "cuda", ...
        devices: Number of processes on this machine. Under torchrun its own number counts instead.

    Raises:
        InputError: Lightning Fabric is not installed, or this machine has fewer devices.
    """
    if devices == 1 and not in_torchrun():
        return DistributedContext()
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
    return DistributedContext(fabric)
