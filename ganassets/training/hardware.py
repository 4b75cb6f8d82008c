"""Choose device, threads, precision and memory format by a short measurement."""

from __future__ import annotations

import os
import time

import torch
from torch import nn

from ..api.errors import InputError
from .settings import Hardware

# Speed-up from which bfloat16 is worth its lower accuracy.
MIN_SPEEDUP = 1.25


def choose_hardware(
    device: str = "auto", threads: int | None = None, devices: int = 1, precision: str = "auto"
) -> Hardware:
    """Return the settings with which a small convolutional step is fastest here.

    Args:
        device: "auto", "cpu", "cuda", "cuda:0", "mps".
        threads: CPU threads in each process, or None to measure.
        devices: Number of processes that train together; they share the CPU's cores.
        precision: "float32", "bfloat16", or "auto" to choose by the device or a measurement. The same seed needs the
            same threads and precision to give the same weights.

    Raises:
        InputError: torch can't use the device, or not in this precision.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    check_device(device)
    if device != "cpu":
        precision, reason = choose_device_precision(device, precision)
        is_cuda = device.startswith("cuda")
        return Hardware(device, torch.get_num_threads(), precision, is_cuda, devices, reason)
    count, precision, reason = measure_precision(thread_counts(threads, devices), precision)
    return Hardware("cpu", count, precision, True, devices, reason)


def choose_device_precision(device: str, requested: str) -> tuple[str, str]:
    """Return the precision on a device other than the CPU, and why; InputError when it can't compute in it."""
    fast = device.startswith("cuda") and torch.cuda.is_bf16_supported(including_emulation=False)
    if requested == "bfloat16" and not fast:
        raise InputError(f"{device} can't compute in bfloat16; use --precision float32.")
    if requested != "auto":
        return requested, "as requested"
    return ("bfloat16", f"{device} computes in it") if fast else ("float32", f"{device} has no bfloat16")


def thread_counts(threads: int | None, devices: int) -> list[int]:
    """Return the numbers of CPU threads to try."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cores = max(cores // devices, 1)
    return [threads] if threads else sorted({1, max(cores // 2, 1), cores})


def measure_precision(counts: list[int], requested: str) -> tuple[int, str, str]:
    """Return the fastest threads and precision on the CPU, and why; what the user requested is not measured."""
    if requested != "auto":
        count = counts[0] if len(counts) == 1 else min(counts, key=lambda count: measure_conv(count, requested))
        return count, requested, "as requested"
    seconds = {name: {count: measure_conv(count, name) for count in counts} for name in ("float32", "bfloat16")}
    best = {name: min(counts, key=lambda count, name=name: seconds[name][count]) for name in seconds}
    ratio = seconds["float32"][best["float32"]] / seconds["bfloat16"][best["bfloat16"]]
    if ratio > MIN_SPEEDUP:
        return best["bfloat16"], "bfloat16", f"{ratio:.1f} times as fast as float32 here"
    return best["float32"], "float32", f"bfloat16 is not {MIN_SPEEDUP:g} times as fast here"


def check_device(device: str) -> None:
    """Raise InputError unless torch can compute on a device."""
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(f"torch can't use the device {device!r} here; try --device cpu.") from error


def measure_conv(threads: int, precision: str, repeats: int = 4) -> float:
    """Return the least seconds of a forward and backward pass of a 3x3 convolution, channels last."""
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
    """Configure torch as chosen; on the CPU this makes a run repeatable."""
    torch.set_num_threads(hardware.threads)
    torch.use_deterministic_algorithms(hardware.device == "cpu")
    # Filling new memory takes a tenth of a step, and guards against reading unset memory, which nothing here does.
    torch.utils.deterministic.fill_uninitialized_memory = False  # pyright: ignore[reportAttributeAccessIssue]
