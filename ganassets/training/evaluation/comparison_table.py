"""Print the measures of a comparison as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .set_measures import SetMeasures, beats_linear

if TYPE_CHECKING:
    from rich.console import Console


def format_measures(measures: SetMeasures) -> dict[str, str]:
    """Format the measures of a set, by the name of the table's row."""
    cells = {f"FD {name}": f"{value:.3g}" for name, value in measures.distance.items()}
    cells |= {f"FD2 {name}": f"{value:.3g}" for name, value in measures.check.items()}
    cells |= {f"KID {name}": f"{value:.3g}" for name, value in measures.kernel.items()}
    cells |= {f"pyramid {name}": f"{value:.3g}" for name, value in measures.pyramid.items()}
    for measure, digits in (("spectrum", ".2g"), ("autocorrelation", ".2f"), ("structure", ".2f"), ("peaks", ".2f")):
        for name, found in measures.structure.items():
            value = found[measure]
            cells[f"{measure} {name}"] = "none" if value is None else f"{value:{digits}}"
    cells |= {
        name: f"{getattr(measures, name):.2f}" for name in ("precision", "recall", "density", "coverage", "spread")
    }
    if measures.sliders:
        cells["sliders"] = f"{np.mean(list(measures.sliders.values())):.2f}"
    return cells | {name: f"{value:.3g}" for name, value in measures.assets.items()}


def print_table(measures: Sequence[SetMeasures], console: Console) -> None:
    """Print a column for each set, and whether the model is nearer to the data than the linear model."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, show_edge=False)
    columns = [format_measures(row) for row in measures]
    for title in ("", *(row.name for row in measures)):
        table.add_column(title)
    names = list(dict.fromkeys(name for column in columns for name in column))
    for name in names:
        cells = [column.get(name, "-") for column in columns]
        # What no set has, such as peaks of sand, is no row.
        if set(cells) - {"-", "none"}:
            table.add_row(name, *cells)
    console.print(table)
    console.print('Column "real": other real samples, the best values that this number of samples allows.')
    for name, is_nearer in (beats_linear(measures) or {}).items():
        console.print(
            f"{name}: the model is {'nearer to' if is_nearer else 'FARTHER from'} the data than the linear model."
        )
