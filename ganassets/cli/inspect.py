"""`ganassets inspect`: what a model file says about itself."""

from __future__ import annotations

from collections.abc import Iterator

import click

from .base import complete_generators, debug_option, make_console, printable
from .find import find_model

EXAMPLES = """\b
Examples:
  ganassets inspect faces
  ganassets inspect runs/faces-20260131-1/model.onnx --json
"""


@click.command(name="inspect", short_help="Show what a model file says about itself.", epilog=EXAMPLES)
@click.argument("name_or_model", shell_complete=complete_generators)
@click.option("--json", "as_json", is_flag=True, help="The whole manifest as JSON.")
@debug_option
def command(name_or_model: str, as_json: bool) -> None:
    """Check a model file and show its manifest: origin, data, licence, sliders, outputs."""
    import json

    from ..model import CPU, open_model

    model = open_model(find_model(name_or_model), providers=[CPU])
    size = model.path.stat().st_size
    if as_json:
        facts = {"path": str(model.path), "bytes": size, "sha256": model.digest}
        click.echo(json.dumps({**facts, "manifest": model.manifest.model_dump(mode="json")}, indent=2))
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False, box=None)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in [("file", str(model.path)), ("size", f"{size / 1e6:.1f} MB"), ("SHA-256", model.digest)]:
        table.add_row(Text(name, "bold"), Text(value))
    for name, value in summary(model.manifest):
        table.add_row(Text(printable(name), "bold"), Text(printable(value)))
    make_console().print(table)


def summary(manifest) -> Iterator[tuple[str, str]]:
    """Names and values to show of a manifest."""
    data, training, parity = manifest.data, manifest.training, manifest.parity
    yield "generator", f"{manifest.generator} {manifest.generator_version}"
    yield "made", f"{manifest.created} by {manifest.software}"
    yield "licence", manifest.licence
    yield "data", f"{data.name}, {data.samples} samples, {data.licence}"
    pace = f"{training.kimg:g} kimg in {training.seconds / 60:.1f} min on {training.device}"
    yield "training", f"{training.preset}, {training.objective}, {pace}, seed {training.seed}"
    yield "latents", f"z {manifest.z_dim}, w {manifest.layers} x {manifest.w_dim}"
    if noise := manifest.noise:
        yield "sizes", f"multiples of {noise.stride}; {noise.channels} noise channels, trained at {noise.size}"
    worst = max(parity.max_abs_difference.values(), default=0.0)
    yield "parity", f"at most {worst:.1e} from torch over {parity.latents} latents"
    for output in manifest.outputs:
        yield f"output {output.name}", f"{' x '.join(output.axes)}, {output.unit}"
    for condition in manifest.conditions:
        values = "|".join(condition.choices) or f"{condition.low:g}..{condition.high:g} {condition.unit}".rstrip()
        yield f"slider {condition.name}", f"{values}  {condition.help}".rstrip()
    for name, digest in manifest.static_digests.items():
        yield f"needs {name}", digest
