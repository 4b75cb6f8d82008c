"""Check who may import whom (docs/architecture.md). Packages are found in their folders: new ones need no line here."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import tomli_w
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]
TRAINING_ONLY = ["onnx", "onnxscript", "psutil", "safetensors", "scipy", "tomli_w", "torch"]
# Names of plugins' modules that define samples and networks' outputs.
TRAINING_MODULES = ("dataset", "derive", "domain", "networks")
BLENDER, BLENDER_COMMANDS = "ganassets_blender", "ganassets_blender_commands"


def packages(folder: str) -> list[str]:
    """Import packages in a folder of the project."""
    return sorted(path.parent.name for path in (ROOT / folder).glob("*/__init__.py"))


def runtime_modules(plugin: str) -> list[str]:
    """Modules of a plugin that make assets: what decodes, and what draws previews."""
    paths = sorted((ROOT / "plugins" / plugin).rglob("*.py"))
    names = [".".join(path.relative_to(ROOT / "plugins").with_suffix("").parts) for path in paths]
    return [name for name in names if name.endswith((".decode", ".preview"))]


def forbid(name: str, sources: list[str], *modules: str, direct: bool = False, ignore: tuple[str, ...] = ()) -> dict:
    """Contract by which sources import none of some modules, directly or at all."""
    contract = {"name": name, "type": "forbidden", "source_modules": sources, "forbidden_modules": list(modules)}
    rest = {"ignore_imports": list(ignore), "unmatched_ignore_imports_alerting": "none"}
    return contract | rest | {"allow_indirect_imports": direct}


def contracts(plugins: list[str], exporters: list[str]) -> list[dict]:
    """All rules."""
    layers = ["ganassets.cli", "ganassets.training", "ganassets.inference", "ganassets.api"]
    runtime = [name for plugin in plugins for name in runtime_modules(plugin)]
    trained = [f"{plugin}.**.{name} -> torch" for plugin in plugins for name in TRAINING_MODULES]
    trained += [f"{plugin}.{name} -> torch" for plugin in plugins for name in TRAINING_MODULES]
    torch = ("ganassets.training -> torch", "ganassets.training.** -> torch", *trained)
    every = ["ganassets", BLENDER, BLENDER_COMMANDS, *plugins, *exporters]
    return [
        # The package itself offers functions of all layers, which import nothing from it but its version.
        {
            "name": "layers of the core",
            "type": "layers",
            "layers": layers,
            "ignore_imports": ["ganassets -> ganassets.**"],
        },
        {"name": "no circles", "type": "acyclic_siblings", "ancestors": every},
        {"name": "plugins and exporters are independent", "type": "independence", "modules": [*plugins, *exporters]},
        forbid("the core knows no plugin", ["ganassets"], BLENDER, BLENDER_COMMANDS, *plugins, *exporters),
        forbid(
            "plugins and exporters don't know Blender's extension", [*plugins, *exporters], BLENDER, BLENDER_COMMANDS
        ),
        forbid("plugins import api and training", plugins, "ganassets.cli", "ganassets.inference", direct=True),
        forbid("exporters import api alone", exporters, *layers[:3]),
        forbid("the extension needs no command line", [BLENDER], "ganassets.cli", BLENDER_COMMANDS),
        forbid("torch only trains", every, "torch", direct=True, ignore=torch),
        forbid("making assets needs nothing of training", [*layers[2:], *runtime, *exporters, BLENDER], *TRAINING_ONLY),
        forbid(
            "inside Blender: Blender and numpy", [f"{BLENDER}.addon"], "ganassets", "pydantic", "PIL", "onnxruntime"
        ),
    ]


def main() -> int:
    """Check all rules; 0 when they are kept."""
    plugins, exporters = packages("plugins"), packages("exporters")
    roots = ["ganassets", BLENDER, BLENDER_COMMANDS, *plugins, *exporters]
    options = {"root_packages": roots, "include_external_packages": True, "contracts": contracts(plugins, exporters)}
    sys.path[:0] = [str(ROOT / folder) for folder in (".", "plugins", "exporters", "blender")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rules.toml"
        path.write_text(tomli_w.dumps({"tool": {"importlinter": options}}))
        return lint_imports(config_filename=str(path), no_cache=True)


if __name__ == "__main__":
    sys.exit(main())
