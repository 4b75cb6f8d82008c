"""Runs first in a Blender that is started beside: says which Blender this is and what it lacks, then runs a script.

    blender -b --python inside_blender.py -- SCRIPT
    python inside_blender.py -- SCRIPT

Keeps to the syntax of old Pythons and to the standard library, since any Blender may be found.
"""

import json
import os
import runpy
import sys

MARK = "GANASSETS "


def describe():
    """Versions of Python and Blender, and what can't be imported ("bpy", "numpy" or "") and why."""
    facts = {"python": "{}.{}.{}".format(*sys.version_info), "blender": "", "version": [], "lacks": "bpy", "why": ""}
    try:
        import bpy  # pyright: ignore[reportMissingImports]

        facts.update(blender=bpy.app.version_string, version=list(bpy.app.version), lacks="numpy")
        import numpy  # noqa: F401

        facts.update(lacks="")
    except Exception as problem:  # whatever a broken library raises
        facts.update(why=str(problem))
    return facts


def keep_to_one_processor():
    """Let a module use one thread, as `blender -t 1` does: last bits of normals depend on how many work on them."""
    if "bpy" not in sys.modules and hasattr(os, "sched_setaffinity"):
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[os.getpid() % len(processors)]})


def main():
    """Describe this Blender and run the script."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]  # no module of ours shadows another
    keep_to_one_processor()
    print(MARK + json.dumps(describe()))
    sys.stdout.flush()
    runpy.run_path(sys.argv[-1], run_name="__main__")


if __name__ == "__main__":
    main()
