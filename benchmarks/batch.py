"""The batch engine against the work that can't be avoided, in one run.

Usage: python benchmarks/batch.py [ROUNDS]

For heads to GLB, materials of 512 px to Unity's pictures and clips to BVH: assets a second from a plan to files that
are synced and entered in the index, against onnxruntime alone with the same inputs, and the exporter alone with the
same assets. Both bare works are measured on one core, which is what each would have if the two shared two cores without
any loss, and on all cores, in as many processes. The engine's processes are started once a round and their start is
part of its time. Prints a markdown table; exits with 1 when the engine is below LIMIT of the slower bare work on one
core.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tables import print_table, say

from ganassets.api.options import option_values
from ganassets.api.registry import load_exporter, load_generator
from ganassets.inference.batch.engine import BatchSettings, run_batch
from ganassets.inference.batch.plan import Plan
from ganassets.inference.model import inspect_model, open_model
from ganassets.inference.model_search import shipped_models
from ganassets.inference.pipeline import Inputs, inputs_of, make_assets, run_inputs
from ganassets.inference.request import GenerationRequest
from ganassets.inference.resolve import resolve_request, seed_recipe

LIMIT = 0.85
# Number of samples that each measurement of one step repeats, and its duration in seconds.
SAMPLES = 8
SECONDS = 6.0


@dataclass(frozen=True)
class BatchCase:
    """A batch to measure: generator, format, number of assets and their size in pixels."""

    generator: str
    exporter: str
    count: int
    size: tuple[int, int] | None = None


CASES = (
    BatchCase("faces", "gltf", 1200),
    BatchCase("textures", "unity", 60, (512, 512)),
    BatchCase("poses", "bvh", 2000),
)


def request_of(case: BatchCase, count: int) -> GenerationRequest:
    """Build the request of the command line for seeds 1 to count."""
    return GenerationRequest(model=case.generator, count=count, to=case.exporter, size=case.size)


def plan_of(case: BatchCase) -> Plan:
    """Build the plan of a whole batch."""
    file = inspect_model(shipped_models(case.generator)[-1])
    return Plan([resolve_request(request_of(case, case.count), file=file)])


def prepare_samples(case: BatchCase) -> tuple[Any, list[Inputs], list[Any]]:
    """Open the model on one thread, and build inputs and assets of the first seeds."""
    spec, model = load_generator(case.generator), open_model(shipped_models(case.generator)[-1], threads=1)
    request = request_of(case, SAMPLES)
    recipes = [seed_recipe(model, spec, request, seed) for seed in request.chosen_seeds()]
    return model, [inputs_of(model.manifest, spec, one) for one in recipes], make_assets(model, spec, recipes)


def bare_network(case: BatchCase) -> float:
    """Samples a second through onnxruntime."""
    model, inputs, _ = prepare_samples(case)
    return measure_rate(lambda i: run_inputs(model, [inputs[i % SAMPLES]], 0.85))


def bare_export(case: BatchCase) -> float:
    """Assets a second through the exporter."""
    _, _, assets = prepare_samples(case)
    exporter = load_exporter(case.exporter)
    options = option_values(exporter.options, {})
    return measure_rate(lambda i: exporter.export(assets[i % SAMPLES], options))


def measure_rate(work: Callable[[int], object]) -> float:
    """Measure how many times per second a function runs."""
    for i in range(SAMPLES):
        work(i)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        work(count)
        count += 1
    return count / (time.perf_counter() - start)


def sum_rates(work: Callable[[BatchCase], float], case: BatchCase) -> float:
    """Run a measurement in one process per core, and sum up the rates."""
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        return sum(pool.map(work, [case] * cores))


def measure_batch(case: BatchCase) -> float:
    """Measure assets per second, from the plan to the last synced line of the index."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        summary = run_batch(plan_of(case), Path(folder), BatchSettings())
        assert summary.made == case.count
        return case.count / (time.perf_counter() - start)


def main() -> int:
    """Measure all cases in turn, and print a table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    good = True
    say(f"Assets per second on {os.cpu_count()} cores, median of {rounds} rounds in turns:")
    rows = []
    for case in CASES:
        turns = [
            {
                "engine": measure_batch(case),
                "network, one core": bare_network(case),
                "export, one core": bare_export(case),
                "network, all cores": sum_rates(bare_network, case),
                "export, all cores": sum_rates(bare_export, case),
            }
            for _ in range(rounds)
        ]
        median = {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}
        least = min(median["network, one core"], median["export, one core"])
        both = 1 / (1 / median["network, all cores"] + 1 / median["export, all cores"])
        ratio = median["engine"] / least
        good &= ratio >= LIMIT
        size = f" {case.size[0]} px" if case.size else ""
        rows.append(
            {"": f"{case.generator}{size} to {case.exporter}"}
            | {name: f"{value:.2f}" for name, value in median.items()}
            | {
                "engine / slower of one core": f"{ratio:.2f}",
                "engine / both on all cores": f"{median['engine'] / both:.2f}",
            }
        )
    print_table(rows)
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
