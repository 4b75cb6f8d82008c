"""Test the documentation: every command and every Python block runs, every link has a target.

Commands run as written, but training uses presets with few samples and images. A fenced block with a file name after
its language is the content of that file; the plugins of docs/plugins.md are installed from such blocks.
"""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import ganassets_bvh
import ganassets_faces
import ganassets_faces.portraits
import ganassets_poses
import ganassets_textures
from ganassets.api.options import option_values
from ganassets.api.spec import GeneratorSpec, with_overrides
from ganassets.cli import cli
from support.motion_clips import walk_clip
from support.sprites import write_sprites

PLUGINS = (ganassets_faces, ganassets_faces.portraits, ganassets_poses, ganassets_textures)
ROOT = Path(__file__).parents[2]
DOCUMENTS = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")))
LANGUAGES = {"sh", "python", "toml", "json", "text"}
RUN = "runs/faces-20260131-1"  # the run folder that the pages name
SHORT = ["--kimg", "0.032", "--threads", "1", "--device", "cpu"]
FEW, FEW_COMPONENTS = 48, 16
COMPARED = ["--samples", "64"]
PIP = re.compile(r'pip install "?(?P<where>\./?[\w/]*)(?:\[(?P<extras>[\w,]+)\])?"?')


@dataclass(frozen=True)
class CodeBlock:
    """A fenced block.

    Attributes:
        language: word after the fence, or "".
        file: name of the file that the block is the content of, or "".
        text: content.
    """

    language: str
    file: str
    text: str


def find_blocks(document: Path) -> list[CodeBlock]:
    """Return the fenced blocks of a page, in order."""
    fences = re.findall(r"^```(\S*) *([^\n]*)\n(.*?)^```$", document.read_text(encoding="utf-8"), re.M | re.S)
    return [CodeBlock(*fence) for fence in fences]


def find_commands(block: CodeBlock) -> Iterator[str]:
    """Yield the commands of a shell block, one on each line; a backslash continues a command on the next line."""
    if block.language == "sh":
        lines = block.text.replace("\\\n", " ").splitlines()
        yield from (command for line in lines if (command := re.sub(r"(^|\s+)#.*", "", line).strip()))


BLOCKS = [block for document in DOCUMENTS for block in find_blocks(document)]
COMMANDS = sorted({command for block in BLOCKS for command in find_commands(block)})
WITH_RUNS = [
    document
    for document in DOCUMENTS
    if any(
        (block.language == "python" and not block.file) or any(c.startswith("ganassets ") for c in find_commands(block))
        for block in find_blocks(document)
    )
]


def check_make(command: str) -> None:
    """Check that make has the targets."""
    done = subprocess.run(["make", "-n", *shlex.split(command)[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def check_pip(command: str) -> None:
    """Check that pip would find the package: this project with existing extras, or a plugin of the pages."""
    match = PIP.fullmatch(command)
    assert match, command
    if match["where"] != ".":
        assert f"{match['where'].removeprefix('./')}/pyproject.toml" in {block.file for block in BLOCKS}
        return
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set((match["extras"] or "").split(",")) - {""} <= extras.keys()


def check_script(command: str) -> None:
    """Check that the Python script exists, and that its docstring shows this command and its options."""
    _, script, *options = shlex.split(command)
    path = ROOT / script
    assert path.is_file(), f"{script} doesn't exist"
    usage = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    assert f"python {script}" in usage
    assert all(option in usage for option in options if option.startswith("--"))


def check_tests(command: str) -> None:
    """Check that the tests exist."""
    path = ROOT / shlex.split(command)[-1]
    assert path.is_dir() or (path.name.startswith("test_") and path.is_file()), f"{path} doesn't exist"


def check_ganassets(command: str) -> None:
    """Check that the command exists and takes these options; test_commands_and_python_blocks_run runs it."""
    words = shlex.split(command)
    words = words[: next((i for i, word in enumerate(words) if word.startswith(">")), len(words))]
    group: click.Command = cli
    context = click.Context(cli, info_name="ganassets")
    rest = words[1:]
    while isinstance(group, click.Group) and rest and not rest[0].startswith("-"):
        found = group.get_command(context, rest.pop(0))
        assert found is not None, f"{command}: there is no such command"
        group = found
    if group.name != "cli" and "planks" not in words and "xyz" not in words and "--help" not in words:
        group.make_context("ganassets", list(rest))


def check_blender(command: str) -> None:
    """Check a command of Blender: a script of the pages, a Python expression or our command; tests/real runs it."""
    words = shlex.split(command)
    if "--command" in words:
        check_ganassets(shlex.join(words[words.index("--command") + 1 :]))
    elif "--python-expr" in words:
        compile(words[words.index("--python-expr") + 1], command, "exec")
    else:
        assert words[words.index("--python") + 1] in {block.file for block in BLOCKS}


CHECKS: dict[str, Callable[[str], None]] = {
    "make": check_make,
    "pip install": check_pip,
    "python -m pytest": check_tests,
    "python": check_script,
    "ganassets": check_ganassets,
    "blender": check_blender,
}


def find_check(command: str) -> Callable[[str], None] | None:
    """Return the check for a command, or None for an unknown kind of command."""
    return next((check for start, check in CHECKS.items() if command.startswith(f"{start} ")), None)


def test_pages_and_commands_are_found():
    assert len(DOCUMENTS) > 5
    assert {c.split()[0] for c in COMMANDS} >= {"make", "pip", "ganassets"}


@pytest.mark.parametrize("command", COMMANDS)
def test_command_exists(command: str):
    check = find_check(command)
    assert check is not None, f"{command!r} is an unknown kind of command; add a check for it"
    check(command)


@pytest.mark.parametrize(
    "command",
    [
        "make no-such-target",
        'pip install ".[no-such-extra]"',
        "pip install ganassets",
        "pip install ./no-such-plugin",
        "python benchmarks/no_such_script.py",
        "python -m pytest tests/no_such_test.py",
        "ganassets no-such-command",
        "ganassets generate faces --no-such-option",
        "ganassets train faces --objective no-such-loss",
        "blender -b --python no_such_script.py",
        "blender --command ganassets no-such-command",
    ],
)
def test_wrong_command_fails(command: str):
    check = find_check(command)
    assert check is not None
    with pytest.raises((AssertionError, click.UsageError)):
        check(command)


def test_unknown_kind_of_command_has_no_check():
    assert find_check("curl somewhere") is None


def test_blocks_disable_telemetry_of_onnxruntime():
    importing = [block.text for block in BLOCKS if block.language == "python" and "import onnxruntime" in block.text]
    assert importing
    for text in importing:
        assert "ORT_DISABLE_TELEMETRY" in text.partition("import onnxruntime")[0]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_blocks_have_known_languages(document: Path):
    assert {block.language for block in find_blocks(document)} <= LANGUAGES
    assert document.read_text(encoding="utf-8").count("\n```") == 2 * len(find_blocks(document))


def find_anchors(document: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_have_targets(document: Path):
    text = re.sub(r"^```.*?^```$", "", document.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = document.parent / path if path else document
        assert found.exists(), f"{document.name} links to {target}, which doesn't exist"
        assert not anchor or anchor in find_anchors(found), f"{document.name} links to {target}"


def test_index_lists_every_page():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    names = [path.name for path in (ROOT / "docs").glob("*.md") if path.name != "index.md"]
    assert [name for name in names if f"]({name})" not in index] == []


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "images").glob("*")), ids=lambda path: path.name)
def test_pictures_are_used_and_not_blank(path: Path):
    with Image.open(path) as image:
        assert min(image.size) >= 200
        assert np.asarray(image.convert("L")).std() > 5
    assert any(path.name in document.read_text(encoding="utf-8") for document in DOCUMENTS), "no page shows it"


def with_few_samples(spec: GeneratorSpec) -> GeneratorSpec:
    """Return a generator with few samples and few components in its presets."""
    return replace(
        spec,
        presets=tuple(
            replace(preset, samples=FEW, components=min(FEW_COMPONENTS, preset.components)) for preset in spec.presets
        ),
    )


def run(command: list[str]) -> None:
    """Run a command of ganassets in this process."""
    if command[0] == "train" and "--resume" not in command and "--help" not in command:
        command = [*command, *SHORT]
    if command[0] == "data" and "--seconds" not in command:
        command = [*command, "--seconds", "0.1"]
    if command[0] == "evaluate":
        command = [*command, *COMPARED]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 0, f"{' '.join(command)}: {result.output}"
    check_output(command)


def check_output(command: list[str]) -> None:
    """Check the output of -o: a file with content, or a folder with files for each asset and a contact sheet."""
    if "-o" not in command or {"--help", "--dry-run"} & set(command):
        return
    out = Path(command[command.index("-o") + 1])
    if command[0] != "generate":
        made = [file for file in out.rglob("*") if file.is_file()] if out.is_dir() else [out]
        assert sum(file.stat().st_size for file in made) > 10_000
        return
    first, _, last = option_value(command, "--seeds", f"1-{option_value(command, '-n', '8')}").partition("-")
    count = int(option_value(command, "-n", "8")) if first == "random" else int(last or first) - int(first) + 1
    count = command.count("--recipe") or count
    files = [file for file in out.iterdir() if file.name != "contact-sheet.png"]
    stem = re.compile(r"(?:[A-Z]+_)?([a-z]+-\d{8})(?!\d)")
    assert len({match[1] for file in files if (match := stem.match(file.name))}) == count
    assert all(file.stat().st_size > 100 for file in files)
    assert (out / "contact-sheet.png").is_file() != ("--no-preview" in command)


def option_value(command: list[str], name: str, default: str) -> str:
    """Return the value of an option on a command line."""
    return command[command.index(name) + 1] if name in command else default


@pytest.fixture(scope="session")
def prepared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with everything that the pages assume: a stopped run, its model, training data, plugins."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("prepared")
    with pytest.MonkeyPatch.context() as patch:
        for plugin in PLUGINS:
            patch.setattr(plugin, "SPEC", with_few_samples(plugin.SPEC))
        patch.chdir(folder)
        run(["train", "faces", "--out", RUN])
        run(["export", RUN, "--onnx"])
        shutil.copy(f"{RUN}/model.onnx", "faces.onnx")
        extend_run(Path(RUN))
    skins = folder / "my-skins"
    skins.mkdir()
    rng = np.random.default_rng(0)
    for name, colour in (("young_female", (205, 160, 135)), ("old_male", (150, 105, 80))):
        texture = np.clip(rng.normal(colour, 6, (512, 512, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(texture).save(skins / f"{name}.png")
    materials = folder / "my-materials"
    materials.mkdir()
    for name in ("old_brick_wall", "gravel"):
        Image.fromarray(rng.integers(60, 200, (128, 128, 3), np.uint8)).save(materials / f"{name}_Color.png")
        Image.fromarray(rng.integers(60, 200, (128, 128), np.uint8)).save(materials / f"{name}_Roughness.png")
    motion = folder / "my-motion"
    motion.mkdir()
    options = option_values(ganassets_bvh.EXPORTER.options, {})
    for name, speed in (("walk_slow", 0.8), ("walk_fast", 1.6)):
        clip = replace(walk_clip(frames=91, speed=speed), name=name)
        for file, content in ganassets_bvh.EXPORTER.export(clip, options).items():
            (motion / file).write_bytes(content)
    write_sprites(folder / "my-sprites")
    (folder / "my-sprites" / "orc").rename(folder / "my-sprites" / "Dark Orc")
    write_sprites(folder / "my-portraits", opaque=True)
    (folder / "bones.json").write_text('{"hips": "hips"}')
    for block in BLOCKS:
        if block.file:
            (folder / block.file).parent.mkdir(exist_ok=True)
            (folder / block.file).write_text(block.text)
    return folder


def extend_run(run_folder: Path) -> None:
    """Turn a finished run into one that was stopped halfway."""
    from ganassets.training.settings import read_settings, to_toml

    settings = read_settings(run_folder / "config.toml")
    longer = replace(settings, preset=with_overrides(settings.preset, kimg=2 * settings.preset.kimg))
    (run_folder / "config.toml").write_text(to_toml(longer))


@pytest.fixture
def work_folder(prepared_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make a copy of the prepared folder to work in, with the plugins of the pages installed."""
    import torch

    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    folder = tmp_path / "work"
    shutil.copytree(prepared_folder, folder)
    for project in folder.glob("*/pyproject.toml"):
        facts = tomllib.loads(project.read_text())
        install(facts["project"], facts["tool"]["setuptools"]["py-modules"], project.parent, tmp_path / "site")
    for plugin in PLUGINS:
        monkeypatch.setattr(plugin, "SPEC", with_few_samples(plugin.SPEC))
    monkeypatch.setattr("ganassets.training.evaluation.comparison_data.FIT_SAMPLES", 128)
    monkeypatch.setattr("ganassets.training.run_recorder.MEASURED_SEEDS", 64)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    yield folder
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic)


def install(project: dict, modules: list[str], source: Path, site: Path) -> None:
    """Install a project of single modules, as pip would."""
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    sections = (
        "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in points.items())])
        for group, points in project["entry-points"].items()
    )
    (info / "entry_points.txt").write_text("\n".join(sections))
    for module in modules:
        shutil.copy(source / f"{module}.py", site)


@pytest.mark.slow
@pytest.mark.parametrize("document", WITH_RUNS, ids=lambda path: path.name)
def test_commands_and_python_blocks_run(work_folder: Path, document: Path):
    for block in find_blocks(document):
        if block.language == "python" and not block.file:
            done = subprocess.run([sys.executable, "-c", block.text], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        for command in find_commands(block):
            words = shlex.split(command)
            if words[0] == "ganassets" and not {">", ">>"} & set(words) and not needs_real_consumers(words[1:]):
                run(words[1:])
    assert not list(work_folder.rglob("*.partial"))


def needs_real_consumers(command: list[str]) -> bool:
    """Return whether a command needs the network or a Blender, which only tests/real have."""
    needs = command[:2] == ["blender", "library"] and not shutil.which("blender")
    return needs or command[:2] in (["blender", "build"], ["blender", "lock"])


@pytest.mark.parametrize("command", [command for command in COMMANDS if ">" in command])
def test_redirected_commands_run(command: str, tmp_path: Path):
    target = Path(shlex.split(command)[-1].replace("~", str(tmp_path)))
    target.parent.mkdir(parents=True, exist_ok=True)
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    done = subprocess.run(
        command, shell=True, env={"HOME": str(tmp_path), "PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "_GANASSETS_COMPLETE" in target.read_text()


@pytest.mark.slow
def test_resumed_run_continues(work_folder: Path):
    from ganassets.training.checkpoint import load_checkpoint, newest_checkpoint

    def images() -> int:
        return load_checkpoint(newest_checkpoint(work_folder / RUN / "checkpoints"))[1]["images"]

    before = images()
    run(["train", "--resume", RUN])
    assert images() > before


def test_list_of_public_names_is_current():
    script = ROOT / "docs" / "api_list.py"
    code = f"import runpy; m = runpy.run_path({str(script)!r}); print(m['MARK'] + m['listing'](), end='')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert page.endswith(done.stdout), "run python docs/api_list.py"


def test_every_public_name_has_a_summary():
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), re.M)
    assert len(rows) > 100
    assert [name for name, text in rows if len(text) < 10] == []
