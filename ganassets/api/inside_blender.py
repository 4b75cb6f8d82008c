"""First script of a Blender process: print its version and what it lacks, then run another script.

    blender -b --python inside_blender.py -- SCRIPT
    python inside_blender.py -- SCRIPT

It uses the syntax of old Pythons and the standard library alone, because the Blender may be of any version.
"""

# pyright: basic
# Old Pythons know no annotations of variables, and bpy is not installed where types are checked.

import json
import os
import runpy
import sys

MARK = "GANASSETS "


def describe():
    """Return the versions of Python and Blender, the module that can't be imported ("bpy", "numpy" or "") and why."""
    facts = {"python": "{}.{}.{}".format(*sys.version_info), "blender": "", "version": [], "lacks": "bpy", "why": ""}
    try:
        import bpy  # pyright: ignore[reportMissingImports]

        facts.update(blender=bpy.app.version_string, version=list(bpy.app.version), lacks="numpy")
        import numpy  # noqa: F401

        facts.update(lacks="")
    except Exception as problem:  # whatever a broken library raises
        facts.update(why=str(problem))
    return facts


def use_one_processor():
    """Restrict bpy to one thread, like `blender -t 1`: the last bits of normals depend on the number of threads."""
    if "bpy" not in sys.modules and hasattr(os, "sched_setaffinity"):
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[os.getpid() % len(processors)]})


def main():
    """Describe this Blender and run the script."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]  # our modules must not shadow others
    use_one_processor()
    print(MARK + json.dumps(describe()))
    sys.stdout.flush()
    runpy.run_path(sys.argv[-1], run_name="__main__")


if __name__ == "__main__":
    main()
