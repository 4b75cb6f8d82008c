"""Run scenarios with the installed add-on inside Blender, and print their results as JSON.

Usage: python run_scenarios.py -- FOLDER SCENARIO ...

A scenario is a function of a module in addon_scenarios. It gets the folder; if there are several scenarios, each gets a
subfolder with its name.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # the Blender program does not add it
from addon_scenarios import batches, editing, faults, inputs
from install_extension import enable

MODULES = (batches, editing, faults, inputs)


def main(folder: str, *scenarios: str) -> None:
    """Run scenarios and report."""
    if scenarios != ("reopened",):
        enable()
    home, results = Path(folder), {}
    for name in scenarios:
        (run,) = (getattr(module, name) for module in MODULES if hasattr(module, name))
        results[name] = run(home / name if len(scenarios) > 1 else home)
    print("REPORT " + json.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[sys.argv.index("--") + 1 :])
