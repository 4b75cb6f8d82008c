"""Choosing device, threads, precision and memory format from the machine, by a short measurement."""

from __future__ import annotations

import os
import time

import torch
from torch import nn

from ..errors import InputError
from .settings import Hardware

# bfloat16 costs accuracy, so it has to pay.
WORTHWHILE = 1.25


def choose_hardware(device: str = "auto", threads: int | None = None, devices: int = 1) -> Hardware:
    """The fastest way to run a small convolutional step here.

    Args:
        device: "auto", "cpu", "cuda", "cuda:0", "mps".
        threads: of the CPU in each process, or None to measure.
        devices: processes that train together; they share the CPU's cores.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    check_device(device)
    if device.startswith("cuda"):
        precision = "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
        return Hardware(device, torch.get_num_threads(), precision, True, devices)
    if device != "cpu":
        return Hardware(device, torch.get_num_threads(), "float32", False, devices)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cores = max(cores // devices, 1)
    counts = [threads] if threads else sorted({1, max(cores // 2, 1), cores})
    seconds = {
        (count, precision): conv_seconds(count, precision) for count in counts for precision in ("float32", "bfloat16")
    }
    plain = min(counts, key=lambda count: seconds[count, "float32"])
    half = min(counts, key=lambda count: seconds[count, "bfloat16"])
    if seconds[plain, "float32"] > WORTHWHILE * seconds[half, "bfloat16"]:
        return Hardware("cpu", half, "bfloat16", True, devices)
    return Hardware("cpu", plain, "float32", True, devices)


def check_device(device: str) -> None:
    """InputError unless torch can compute there."""
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(f"torch can't use the device {device!r} here; try --device cpu.") from error


def conv_seconds(threads: int, precision: str, repeats: int = 4) -> float:
    """Least time of a forward and backward pass of a 3x3 convolution, channels last."""
    torch.set_num_threads(threads)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layer = nn.Conv2d(32, 32, 3, padding=1).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        x = torch.randn(16, 32, 32, 32).to(memory_format=torch.channels_last).requires_grad_()
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            y = layer(x)
        y.float().square().mean().backward()
        best = min(best, time.perf_counter() - start)
    return best


def apply_hardware(hardware: Hardware) -> None:
    """Set torch up as chosen; on the CPU this makes a run repeatable."""
    torch.set_num_threads(hardware.threads)
    torch.use_deterministic_algorithms(hardware.device == "cpu")
    # Filling new memory guards against reading it unset, which nothing here does, and takes a tenth of a step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # pyright: ignore[reportAttributeAccessIssue]
