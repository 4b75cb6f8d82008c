"""`morph`, `mix`, `vary`, `sliders`, `invert`, `regenerate`, `inspect` and `batch`: exit codes, sentences, files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganassets.inference.provenance import origin_of
from ganassets.inference.recipe import parse_recipe
from support.command_line import list_outputs, read_error, run

TARGET = """
import numpy as np
from ganassets.api.errors import InputError
from ganassets.api.spec import Target

def target(path):
    content = path.read_bytes()
    if len(content) != 48:
        raise InputError(f"{path} holds no quad.")
    features = lambda made: np.stack([100 * mesh.positions.ravel() for mesh in made])
    return Target(features, 100 * np.frombuffer(content, np.float32), "cm")
"""
# The exporter's files say where they come from.
TELLING = """
from ganassets.api.assets import Exporter, Option

def export(asset, options):
    content = asset.positions.tobytes() * options["copies"]
    return {f"{asset.name}.bin": content, **asset.provenance.sidecar(f"{asset.name}.bin")}

EXPORTER = Exporter("telling", "Positions.", 1, ("mesh",), (".bin",), export, (Option("copies", int, 1, "How many."),))
"""


@pytest.fixture
def model(squares, make_model, tmp_path, monkeypatch) -> str:
    """Path of a model of squares in a run folder of the user; its default format stores the recipe in its files."""
    squares.install(
        "telling", "[ganassets.exporters]\ntelling = controlled_telling:EXPORTER\n", {"controlled_telling": TELLING}
    )
    source = next(squares.folder.glob("squares_*.py"))
    text = source.read_text().replace("dataset=", 'exporter="telling", target=target, dataset=')
    source.write_text(TARGET + text)
    path = make_model(name="work/runs/own/model.onnx")
    monkeypatch.chdir(tmp_path / "work")
    return str(path)


def done(*args: str) -> str:
    """Run a command that must succeed, and return its output."""
    result = run(*args)
    assert result.exit_code == 0, result.output
    return result.stdout


def positions(path: str | Path) -> np.ndarray:
    """Numbers of a file."""
    return np.frombuffer(Path(path).read_bytes(), np.float32)


def recipe(path: str | Path):
    """A recipe's file."""
    return parse_recipe(Path(path).read_bytes(), str(path))


def test_a_morph_starts_and_ends_with_its_seeds(model):
    assert "3 of squares in out" in done("morph", model, "3", "9", "--steps", "3", "--no-preview")
    steps = [f"squares-00000003-00000009-{i:03d}.bin" for i in range(3)]
    assert list_outputs() == sorted([*steps, *(f"{step}.json" for step in steps)])
    done("generate", model, "--seeds", "3,9", "--no-preview", "-o", "ends")
    for step, end in ((0, 3), (2, 9)):
        np.testing.assert_allclose(
            positions(f"out/{steps[step]}"), positions(f"ends/squares-0000000{end}.bin"), atol=1e-5
        )
    assert "3 of them were there already" in done("morph", model, "3", "9", "--steps", "3", "--no-preview")
    done("morph", model, "3", "9", "--steps", "3", "--space", "w", "--no-preview", "-o", "w")
    middle = (positions("ends/squares-00000003.bin") + positions("ends/squares-00000009.bin")) / 2
    np.testing.assert_allclose(positions(f"w/{steps[1]}"), middle, atol=1e-4)
    assert abs(positions(f"out/{steps[1]}") - middle).max() > 1e-3


def test_a_mix_is_kept_as_a_recipe(model):
    output = done("mix", model, "3", "9", "--layers", "1", "--no-preview")
    assert "Recipe: out/*.recipe.json" in output
    stem = "squares-00000003-mix-00000009"
    assert list_outputs() == [f"{stem}.bin", f"{stem}.bin.json", f"{stem}.recipe.json"]
    kept = recipe(f"out/{stem}.recipe.json")
    assert kept.note == "mix of 3 with layers 1- of 9" and kept.w_offset
    done("generate", model, "--recipe", f"out/{stem}.recipe.json", "--no-preview", "-o", "again")
    assert Path(f"again/{stem}.bin").read_bytes() == Path(f"out/{stem}.bin").read_bytes()
    done("generate", model, "--seeds", "3", "--no-preview", "-o", "plain")
    np.testing.assert_allclose(positions(f"out/{stem}.bin"), positions("plain/squares-00000003.bin"), atol=1e-6)


def test_variations_are_kept_as_recipes_and_varied_again(model):
    done("vary", model, "7", "-n", "2", "--strength", "0.3", "--no-preview")
    assert [name for name in list_outputs() if name.endswith(".recipe.json")] == [
        f"squares-00000007-v00{i}.recipe.json" for i in (1, 2)
    ]
    done("vary", model, "out/squares-00000007-v002.bin", "-n", "1", "--no-preview", "-o", "next")
    assert "squares-00000007-v002-v001.bin" in list_outputs("next")
    assert recipe("next/squares-00000007-v002-v001.recipe.json").note.startswith("variation 1 of squares-00000007-v002")


def test_looks_that_are_asked_for_change_recipes(model):
    done("vary", model, "7", "-n", "1", "--age", "10", "--no-preview")
    kept = "out/squares-00000007-v001.recipe.json"
    assert recipe(kept).condition["age"] == 10 and recipe(kept).truncation == 0.85
    for words, told_of in ((("--age", "90"), {"age": 90}), (("--set", "tint=green"), {"tint:red": 0, "tint:green": 1})):
        folder = words[-1]
        done("generate", model, "--recipe", kept, *words, "--no-preview", "-o", folder)
        made = origin_of(Path(folder) / "squares-00000007-v001.bin").recipe
        assert made.condition == {**recipe(kept).condition, **told_of} and made.z == recipe(kept).z
    done("generate", model, "--recipe", kept, "--truncation", "0.1", "--no-preview", "-o", "t")
    assert origin_of(Path("t/squares-00000007-v001.bin")).recipe.truncation == 0.1


def test_recipes_may_be_called_otherwise(model):
    done("vary", model, "7", "-n", "2", "--no-preview")
    args = [word for i in (1, 2) for word in ("--recipe", f"out/squares-00000007-v00{i}.recipe.json")]
    done("generate", model, *args, "--name", "like-{number}", "--no-preview", "-o", "named")
    assert list_outputs("named") == ["like-1.bin", "like-1.bin.json", "like-2.bin", "like-2.bin.json"]
    assert origin_of(Path("named/like-2.bin")).recipe.name == "like-2"
    assert "comes out the same" in done("regenerate", "named/like-2.bin", "--model", model)


@pytest.fixture
def slid(model) -> str:
    """The model, with two sliders found in it."""
    done("sliders", "discover", model, "--count", "2", "--samples", "64", "--sheets", "sheets")
    return model


def test_sliders_are_found_named_and_pulled(slid):
    assert list_outputs("sheets") == ["found-1.png", "found-2.png"]
    with Image.open("sheets/found-1.png") as picture:
        assert picture.size == (4 * 10, 4), "two seeds at five amounts"
    first, second = done("sliders", "list", slid).splitlines()
    assert first.startswith("found-1  ") and second.startswith("found-2  ") and first.endswith("%")
    assert done("sliders", "rename", slid, "found-1", "size") == "Renamed found-1 to size.\n"
    assert done("sliders", "list", slid).startswith("size  ")
    made = []
    for amount in ("-2", "0", "2"):
        done("generate", slid, "--seeds", "7", "--slider", f"size={amount}", "--no-preview", "-o", f"at{amount}")
        made.append(positions(f"at{amount}/squares-00000007.bin"))
    np.testing.assert_allclose(made[0] + made[2], 2 * made[1], atol=1e-4)
    assert abs(made[2] - made[1]).max() > 0.1
    assert "comes out the same" in done("regenerate", "at2/squares-00000007.bin", "--model", slid)


@pytest.mark.parametrize("command", [("vary", "7", "-n", "1"), ("mix", "7", "9", "--layers", "1")])
def test_found_sliders_are_part_of_the_recipe(slid, command):
    """The recipe that is kept makes the asset that lies beside it."""
    name, *words = command
    done(name, slid, *words, "--slider", "found-1=3", "--no-preview")
    (kept,) = Path("out").glob("*.recipe.json")
    stem = kept.name.removesuffix(".recipe.json")
    done("generate", slid, "--recipe", str(kept), "--no-preview", "-o", "again")
    assert Path(f"again/{stem}.bin").read_bytes() == Path(f"out/{stem}.bin").read_bytes()
    done(name, slid, *words, "--no-preview", "-o", "plain")
    assert Path(f"plain/{stem}.bin").read_bytes() != Path(f"out/{stem}.bin").read_bytes()
    done(
        "generate", slid, "--recipe", f"plain/{stem}.recipe.json", "--slider", "found-1=3", "--no-preview", "-o", "late"
    )
    np.testing.assert_allclose(positions(f"late/{stem}.bin"), positions(f"out/{stem}.bin"), atol=1e-5)


def test_bad_words_about_sliders(slid):
    assert "exists already; use --overwrite" in read_error(run("sliders", "discover", slid, "--samples", "64"))
    assert "no slider 'fuond-1' was found" in read_error(run("sliders", "rename", slid, "fuond-1", "x"))
    for name in ("Size", "1st", "", "../x", "x" * 41, "size\n"):
        assert "is no name for a slider" in read_error(run("sliders", "rename", slid, "found-1", name))
    assert "has a slider 'found-2' already" in read_error(run("sliders", "rename", slid, "found-1", "found-2"))
    for words, text in (
        (("--slider", "jaw=1"), "no slider 'jaw' was found"),
        (("--slider", "found-1"), "--slider takes NAME=VALUE"),
        (("--slider", "found-1=99"), "is outside -10..10"),
        (("--slider", "found-1=1", "--slider", "found-1=2"), "--slider found-1 is given twice"),
    ):
        assert text in read_error(run("generate", slid, *words))
    assert not Path("out").exists()


def test_models_without_found_sliders(model):
    for words in (("sliders", "list", model), ("generate", model, "--slider", "jaw=1")):
        assert "has no found sliders yet; find some with `ganassets sliders discover`" in read_error(run(*words))


def test_a_look_is_found_again(model):
    done("generate", model, "--seeds", "777", "--truncation", "1", "--no-preview", "-o", "seen")
    output = done("invert", model, "seen/squares-00000777.bin", "--tries", "16", "--no-preview")
    assert output.splitlines()[-1].startswith("Distance 0.") and "the nearest of 16 seeds had" in output
    stem = "squares-like-squares-00000777"
    assert list_outputs() == [f"{stem}.bin", f"{stem}.bin.json", f"{stem}.recipe.json"]
    np.testing.assert_allclose(positions(f"out/{stem}.bin"), positions("seen/squares-00000777.bin"), atol=0.02)
    assert recipe(f"out/{stem}.recipe.json").note == "found in squares-00000777.bin"


def test_files_that_can_not_be_looked_for(model, squares, monkeypatch):
    assert "nothing.bin is not there" in read_error(run("invert", model, "nothing.bin"))
    Path("short.bin").write_bytes(b"x")
    assert "short.bin holds no quad" in read_error(run("invert", model, "short.bin"))
    source = next(squares.folder.glob("squares_*.py"))
    text = source.read_text().replace("target=target, ", "").replace('name="squares"', 'name="blind"')
    squares.generator("blind", "controlled_blind", text)
    from support.squares import build_model

    Path("blind.onnx").write_bytes(build_model(generator="blind").SerializeToString())
    assert "blind can't compare files with its assets" in read_error(run("invert", "blind.onnx", "short.bin"))


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (("morph", "3", "x"), "x is not there; give a seed, a recipe, or a file that ganassets made"),
        (("morph", "3", "9223372036854775808"), "is larger than 9223372036854775807"),
        (("mix", "3", "9", "--layers", "2-"), "there are no layers 2-; this model has 0 to 1"),
        (("mix", "3", "9"), "there are no layers 2-"),
        (("mix", "3", "9", "--layers", "all"), "layers 'all' can't be read"),
        (("vary", "3", "--strength", "0"), "the strength must be above 0 and at most 1, not 0"),
        (("vary", "3", "--strength", "nan"), "the strength must be above 0 and at most 1, not nan"),
        (("vary", "."), ". can't be read (is a directory)"),
        (("generate", "--recipe", "x.recipe.json", "-n", "3"), "recipes replace seeds; leave out count"),
        (("generate", "--recipe", "x.recipe.json", "--seed", "0"), "recipes replace seeds; leave out seed"),
        (("generate", "--recipe", "x.recipe.json"), "x.recipe.json"),
        (("generate", "--name", "{nose}"), "there is no {nose} for a name"),
        (("generate", "--name", "same"), "two assets would have the name 'same'"),
        (("generate", "--name", "../{seed}"), "can't be the name of a file"),
        (("generate", "--seed", "9223372036854775807"), "seeds end at 9223372036854775807"),
        (("generate", "--option", "copies=" + "9" * 5000), "options.copies: String should have at most 1000"),
        (("morph", "3", "9", "--untrusted"), "opens the model in its own process; leave out --untrusted"),
        (("mix", "3", "9", "--layers", "1", "--untrusted"), "leave out --untrusted"),
        (("invert", "out", "--untrusted"), "out is not there"),
    ],
)
def test_bad_input_makes_no_folder(model, args, text):
    name, *words = args
    assert text in read_error(run(name, model, *words))
    assert not Path("out").exists()


@pytest.mark.parametrize("words", ["generate X", "vary M X", "invert M X", "inspect X", "regenerate X", "batch X"])
def test_names_that_are_too_long(model, words):
    text = read_error(run(*({"X": "x" * 300, "M": model}.get(word, word) for word in words.split())))
    assert "(file name too long)" in text.lower() and "unexpected" not in text


def test_recipes_of_another_model(model, make_model):
    done("vary", model, "7", "-n", "1", "--no-preview")
    other = str(make_model(name="other.onnx", licence="MIT"))
    for words in (("generate", other, "--recipe"), ("vary", other), ("morph", other, "3")):
        text = read_error(run(*words, "out/squares-00000007-v001.recipe.json", "-o", "x"))
        assert "was made with another model" in text and "other.onnx; name that one" in text
    Path("broken.recipe.json").write_text('{"seed": 1}')
    assert "broken.recipe.json holds no whole recipe" in read_error(run("vary", model, "broken.recipe.json"))


def test_regenerating_compares_and_writes(model):
    done("generate", model, "-n", "1", "--option", "copies=3", "--no-preview")
    path = Path("out/squares-00000001.bin")
    assert done("regenerate", str(path), "--model", model) == f"{path} comes out the same, to the last byte.\n"
    assert list_outputs() == ["squares-00000001.bin", "squares-00000001.bin.json"], "nothing was written"
    whole = path.read_bytes()
    path.write_bytes(whole[:-4] + b"\1\2\3\4")
    text = read_error(run("regenerate", str(path), "--model", model), 1)
    assert f"{path} comes out differently: 4 of 144 bytes differ, the first at 140" in text
    path.write_bytes(whole[:-4])
    assert "it has 140 bytes, not 144" in read_error(run("regenerate", str(path), "--model", model), 1)
    result = run("regenerate", str(path), "--model", model, "-o", "again")
    assert result.exit_code == 1 and "Written: again/squares-00000001.bin" in result.stdout
    assert Path("again/squares-00000001.bin").read_bytes() == whole
    assert "is there already" in read_error(run("regenerate", str(path), "--model", model, "-o", "again"))


def test_regenerating_in_place_compares_with_the_existing_file(model):
    done("generate", model, "-n", "1", "--no-preview")
    path = Path("out/squares-00000001.bin")
    whole = path.read_bytes()
    path.write_bytes(b"x" * 48)
    result = run("regenerate", str(path), "--model", model, "-o", "out", "--overwrite")
    assert result.exit_code == 1 and "comes out differently: 48 of 48 bytes differ" in result.stderr
    assert path.read_bytes() == whole


def test_files_that_are_not_regenerated(model, make_model):
    done("vary", model, "7", "-n", "1", "--no-preview")
    kept = "out/squares-00000007-v001.recipe.json"
    assert f"make its asset with `ganassets generate squares --recipe {kept}`" in read_error(
        run("regenerate", kept, "--model", model)
    )
    path = Path("out/squares-00000007-v001.bin")
    assert "is neither in the package nor in runs/; name it with --model" in read_error(run("regenerate", str(path)))
    other = str(make_model(name="other.onnx", licence="MIT"))
    assert "was made with another model" in read_error(run("regenerate", str(path), "--model", other, "--trusted"))
    Path("mine.txt").write_text("mine")
    assert "mine.txt carries no recipe" in read_error(run("regenerate", "mine.txt"))
    path.rename("out/renamed.bin")
    Path("out/squares-00000007-v001.bin.json").rename("out/renamed.bin.json")
    text = read_error(run("regenerate", "out/renamed.bin", "--model", model, "-o", "again"))
    assert "renamed.bin was renamed: its recipe makes squares-00000007-v001.bin" in text
    assert not Path("again").exists()


def test_inspecting_files(model):
    done("vary", model, "7", "-n", "1", "--no-preview")
    output = done("inspect", "out/squares-00000007-v001.bin")
    for text in (
        "in the file beside it", "squares 1.2, by ganassets", "variation 1 of 7, strength 0.2", "telling, copies 1",
        "Again: ganassets regenerate out/squares-00000007-v001.bin", "vary squares out/squares-00000007-v001.bin -n",
    ):  # fmt: skip
        assert text in output
    kept = "out/squares-00000007-v001.recipe.json"
    assert f"Again: ganassets generate squares --recipe {kept}" in done("inspect", kept)
    assert json.loads(done("inspect", kept, "--json")) == json.loads(Path(kept).read_text())
    Path("mine.txt").write_text("mine")
    assert "carries no recipe" in read_error(run("inspect", "mine.txt"))


JOBS = """
[[job]]
model = "squares.onnx"
count = 2
folder = "plain"
[[job]]
model = "squares.onnx"
recipes = ["look.recipe.json"]
to = "raw"
title = "looks"
"""


@pytest.fixture
def jobs(model) -> Path:
    """A file of jobs in a folder with all that it names, which is not the working one."""
    done("vary", model, "7", "-n", "1", "--no-preview", "-o", "varied")
    folder = Path("elsewhere")
    folder.mkdir()
    (folder / "squares.onnx").write_bytes(Path(model).read_bytes())
    Path("varied/squares-00000007-v001.recipe.json").rename(folder / "look.recipe.json")
    (folder / "jobs.toml").write_text(JOBS)
    return folder / "jobs.toml"


def test_a_batch_of_several_jobs(jobs):
    output = done("batch", str(jobs), "--trusted")
    assert "3 of squares in out" in output
    assert "Contact sheets: out/contact-sheet-1.png and out/contact-sheet-looks.png" in output
    assert list_outputs("out/plain") == sorted(f"squares-0000000{n}.bin{s}" for n in (1, 2) for s in ("", ".json"))
    assert {"squares-00000007-v001.bin", "squares-00000007-v001.txt", "contact-sheet-1.png"} <= set(list_outputs())
    before = {path: path.stat().st_mtime_ns for path in Path("out").rglob("*")}
    assert "3 of them were there already" in done("batch", str(jobs), "--trusted")
    assert {path: path.stat().st_mtime_ns for path in Path("out").rglob("*")} == before
    assert "comes out the same" in done(
        "regenerate", "out/plain/squares-00000002.bin", "--trusted", "--model", str(jobs.parent / "squares.onnx")
    )


def test_a_dry_run_writes_nothing(jobs):
    output = done("batch", str(jobs), "--dry-run", "--trusted")
    for text in (
        "looks",
        "telling",
        "raw",
        "From squares-00000001 to squares-00000007-v001, in out. Nothing was written.",
    ):
        assert text in output
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "words",
    [("generate",), ("vary", "7"), ("mix", "3", "9", "--layers", "1"), ("morph", "3", "9"), ("generate", "-n", "1")],
)
def test_every_command_has_a_dry_run(model, words):
    name, *rest = words
    output = done(name, model, *rest, "--dry-run")
    assert output.splitlines()[-1].endswith("in out. Nothing was written.")
    assert not Path("out").exists() and [path.name for path in Path().iterdir()] == ["runs"]


def test_a_dry_run_warns_that_the_disk_is_too_small(model, monkeypatch):
    monkeypatch.setattr("ganassets.inference.batch.engine.free_space", lambda out: 10)
    result = run("generate", model, "--dry-run")
    assert result.exit_code == 2
    assert "don't fit: 10 B are free in out" in result.stderr


def test_batches_that_make_no_sense(jobs, tmp_path):
    assert "jobs.toml is not there; give the path of a file of jobs" in read_error(run("batch", "jobs.toml"))
    jobs.write_text(JOBS.replace("count = 2", "count = 2\nsliders = { age = 200 }"))
    assert read_error(run("batch", str(jobs))) == "job 1: age 200 is outside 0..100 years."
    jobs.write_text(JOBS.replace("look.recipe", "gone.recipe"))
    assert "job looks: " in read_error(run("batch", str(jobs)))
    jobs.write_text(JOBS.replace('"looks"', '"../../looks"'))
    assert "can't be the name of a file" in read_error(run("batch", str(jobs)))
    assert not Path("out").exists()


def test_assets_that_fail_are_reported_and_listed(model, squares):
    text = TELLING.replace('"telling"', '"picky"').replace(
        "    content", "    assert asset.provenance.seed % 3, 'no threes'\n    content", 1
    )
    squares.install("picky", "[ganassets.exporters]\npicky = controlled_picky:EXPORTER\n", {"controlled_picky": text})
    result = run("generate", model, "--to", "picky", "-n", "30", "--no-preview")
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert lines[0].startswith("Not made: squares-00000003: exporter 'picky' of picky 1.0: export must")
    assert "but it raised AssertionError: no threes" in lines[0]
    assert lines[5] == "... and 5 more, listed in out/failures.jsonl."
    assert lines[6] == "Error: 10 of 30 could not be made."
    assert len(Path("out/failures.jsonl").read_text().splitlines()) == 10 and len(list(Path("out").glob("*.bin"))) == 20


@pytest.mark.slow
def test_a_model_that_is_not_trusted_makes_the_same(model):
    for folder, words in (("trusted", ()), ("untrusted", ("--untrusted",))):
        done("generate", model, "-n", "2", "-o", folder, *words)
    trees = [{p.name: p.read_bytes() for p in Path(folder).iterdir()} for folder in ("trusted", "untrusted")]
    assert trees[0] == trees[1]
