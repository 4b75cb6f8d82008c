"""Generating heads to GLB against the work that can't be avoided.

Usage: python benchmarks/generate.py MODEL [ROUNDS]

Compares what `ganassets generate` does (network, decoder, exporter, writer) with the bare minimum: the same batches
through onnxruntime, the same pictures through Pillow, the same bytes through the same writer. Both take turns in one
process, with one model session. Prints a markdown table; exits with 1 when the ratio of the medians is over the limit.
"""

from __future__ import annotations

import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from ganassets.assets import Mesh
from ganassets.cli.generate import write_assets
from ganassets.generation import DEFAULT_TRUNCATION, Request, generate
from ganassets.latents import latents
from ganassets.model import Model, check_plugin, open_model
from ganassets.options import option_values
from ganassets.plugins import load_exporter, load_generator
from ganassets.wishes import condition_matrix, wanted_row
from ganassets.writer import write_files

LIMIT = 1.5
REQUEST = Request(range(1, 65))
PNG = {"format": "PNG", "compress_level": 1}  # as the glTF exporter writes them


def batches() -> Iterator[list[int]]:
    """The request's seeds, batch by batch."""
    seeds = list(REQUEST.seeds)
    return (seeds[i : i + REQUEST.batch] for i in range(0, len(seeds), REQUEST.batch))


def all_feeds(model: Model) -> list[tuple[np.ndarray, np.ndarray]]:
    """Latents and conditions of each batch."""
    manifest = model.manifest
    wanted = wanted_row(manifest.conditions, {})
    return [(latents(seeds, manifest.z_dim), condition_matrix(manifest, seeds, wanted)) for seeds in batches()]


def seconds_of(work: Callable[[Path], object]) -> float:
    """Wall time of work in a fresh folder."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        work(Path(folder))
        return time.perf_counter() - start


def main() -> int:
    """Measure both in turns and print the table."""
    model = open_model(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 9
    spec, exporter = load_generator(model.manifest.generator), load_exporter("gltf")
    check_plugin(model, spec)
    options = option_values(exporter.options, {})

    def whole(folder: Path) -> None:
        write_assets(model, spec, REQUEST, exporter, options, folder, False, 0)

    feeds = all_feeds(model)
    pictures, files = [], []
    for assets in generate(model, spec, REQUEST):
        pictures.append(
            [m.albedo for asset in assets if isinstance(asset, Mesh) for m in asset.materials if m.albedo is not None]
        )
        files.append({name: data for asset in assets for name, data in exporter.export(asset, options).items()})
    spent = dict.fromkeys(("onnxruntime", "PNG", "writing"), 0.0)

    def bare(folder: Path) -> None:
        for (z, condition), images, content in zip(feeds, pictures, files, strict=True):
            start = time.perf_counter()
            model.run(z, condition, DEFAULT_TRUNCATION)
            ran = time.perf_counter()
            for image in images:
                Image.fromarray(image).save(io.BytesIO(), **PNG)
            encoded = time.perf_counter()
            write_files(folder, content)
            spent["onnxruntime"] += ran - start
            spent["PNG"] += encoded - ran
            spent["writing"] += time.perf_counter() - encoded

    for work in (whole, bare):  # warms up
        seconds_of(work)
    spent = dict.fromkeys(spent, 0.0)
    turns = [(seconds_of(whole), seconds_of(bare)) for _ in range(rounds)]
    ours, least = (statistics.median(column) for column in zip(*turns, strict=True))
    size = sum(len(data) for content in files for data in content.values()) / 2**20
    print(f"{len(REQUEST.seeds)} {spec.name} to GLB, {size:.0f} MiB, median of {rounds} rounds:\n")
    print("| what | seconds |")
    print("| --- | --- |")
    print(f"| `ganassets generate` | {ours:.3f} |")
    print(f"| bare minimum | {least:.3f} |")
    for name, total in spent.items():
        print(f"| - {name} | {total / rounds:.3f} |")
    print(f"| ratio (limit {LIMIT}) | {ours / least:.2f} |")
    return int(ours > LIMIT * least)


if __name__ == "__main__":
    sys.exit(main())
