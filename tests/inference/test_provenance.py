"""Provenance: every format stores it in the file, beside it or in the index, and is regenerated from it."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from ganassets.api.assets import Picture
from ganassets.api.errors import InputError, MissingDependencyError
from ganassets.api.options import option_values
from ganassets.api.registry import find_exporters, load_exporter, load_generator
from ganassets.api.spec import GeneratorSpec
from ganassets.api.writer import check_names, stems_of, write_files
from ganassets.cli.regenerate import make_files
from ganassets.inference.batch.index import INDEX, Index
from ganassets.inference.model import Model, open_model
from ganassets.inference.model_search import shipped_models
from ganassets.inference.pipeline import make_assets, provenance_of
from ganassets.inference.provenance import FROM_BESIDE, FROM_INDEX, FROM_INSIDE, READERS, origin_of, recipe_in
from ganassets.inference.recipe import Recipe
from ganassets.inference.resolve import seed_recipe
from support.requests import request_of

MODELS = {"mesh": "faces", "textures": "textures", "motion": "poses"}
INDEXED = {".fbx", ".npz", ".usdc", ".usda", ".usdz"}  # formats without notes, or that only their own libraries read
PLAIN: dict[str, Any] = {"generator": "faces", "model": "0" * 64, "name": "faces-1", "seed": 1, "truncation": 0.85}
RECIPE = Recipe(**PLAIN)


def formats() -> Iterator[tuple[str, str, str]]:
    """Exporter, kind of asset, and an option that differs from its default, such as "format=webp"."""
    for record in find_exporters():
        exporter = record.plugin
        assert exporter, record.error
        for kind in exporter.kinds:
            yield exporter.name, kind, ""
            for option in exporter.options:
                if not option.kinds or kind in option.kinds:
                    values = ("no", "yes") if option.type is bool else option.choices
                    usual = ("yes" if option.default else "no") if option.type is bool else option.default
                    yield from ((exporter.name, kind, f"{option.name}={value}") for value in values if value != usual)


FORMATS = list(formats())


@cache
def made(kind: str) -> tuple[Model, GeneratorSpec, Any, Recipe]:
    """A model, its plugin, a small asset of it and the asset's recipe."""
    spec = load_generator(MODELS[kind])
    model = open_model(shipped_models(spec.name)[-1], threads=1)
    size = (32, 64) if kind == "textures" else None
    settings = option_values(spec.settings, {"seconds": "0.5"} if kind == "motion" else {})
    recipe = seed_recipe(model, spec, request_of((), size=size, settings=settings), 7)
    return model, spec, make_assets(model, spec, [recipe])[0], recipe


@cache
def picture() -> tuple[GeneratorSpec, Any, Recipe]:
    """The plugin of portraits, which comes without a model, a picture and its recipe."""
    pixels = (7 * (1 + 0 * made("textures")[2].albedo)).astype("u1")
    return load_generator("portraits"), Picture("faces-1", pixels), RECIPE


def exported(name: str, kind: str, option: str) -> tuple[Mapping[str, bytes], Recipe]:
    """Files of an exporter, and the recipe that is in them."""
    exporter = load_exporter(name)
    text = dict([option.split("=")] if option else [])
    options = option_values(exporter.options, text)
    _, asset, recipe = picture() if kind == "picture" else made(kind)[1:]
    recipe = recipe.changed(file={"to": name, "options": options})
    try:
        return exporter.export(replace(asset, provenance=provenance_of(recipe)), options), recipe
    except MissingDependencyError as error:
        pytest.skip(str(error))


def written(folder: Path, files: Mapping[str, bytes], recipe: Recipe) -> None:
    """Write files as a batch does."""
    write_files(folder, files)
    with Index(folder) as index:
        index.begin()
        index.enter(recipe.name, "0" * 16, {name: (len(c), "0" * 64) for name, c in files.items()}, recipe.to_json())
        index.end()


@pytest.mark.parametrize(("name", "kind", "option"), FORMATS)
def test_every_file_holds_its_recipe(name, kind, option, tmp_path):
    if name == "fbx" and option:
        pytest.skip("a Blender writes each; the index covers all of them in the same way")
    files, recipe = exported(name, kind, option)
    written(tmp_path, files, recipe)
    for file in files:
        origin = origin_of(tmp_path / file)
        assert origin.recipe == recipe, file
        suffix = Path(file).suffix
        if suffix in INDEXED:
            assert origin.where == FROM_INDEX
        else:
            assert origin.where == (FROM_BESIDE if f"{file}.json" in files else FROM_INSIDE), file
        assert recipe_in(tmp_path / file) == recipe


@pytest.mark.parametrize(("name", "kind"), [(n, k) for n, k, option in FORMATS if not option and k != "picture"])
def test_every_file_is_made_again_to_the_last_byte(name, kind, tmp_path, monkeypatch):
    files, recipe = exported(name, kind, "")
    written(tmp_path, files, recipe)
    model, spec, *_ = made(kind)
    monkeypatch.setattr("ganassets.inference.model.open_model", lambda *args, **kwargs: model)
    found = origin_of(tmp_path / min(files)).recipe
    assert make_files(model.path, spec, found) == files


@pytest.mark.parametrize("called", ["heads of 2026", "größe_鳥", "a.b", "it's #1 (50%) & more", "rock-7-albedo"])
@pytest.mark.parametrize(("name", "kind"), [(n, k) for n, k, option in FORMATS if not option and n != "fbx"])
def test_files_are_called_after_their_asset(name, kind, called):
    """Use any names that a batch may give."""
    _, asset, _ = picture() if kind == "picture" else made(kind)[1:]
    exporter = load_exporter(name)
    files = exporter.export(replace(asset, name=called), option_values(exporter.options, {}))
    check_names(files)
    assert all(called in stems_of(file) for file in files), list(files)


def test_there_is_a_format_for_every_kind():
    assert {kind for _, kind, _ in FORMATS} == {"mesh", "textures", "motion", "picture"}
    assert {name for name, _, _ in FORMATS} >= {"gltf", "images", "bvh", "png"}


@pytest.fixture
def write_foreign_file(tmp_path):
    """Return a function that writes a file with a suffix and without provenance."""

    def make(suffix: str, content: bytes = b"solid") -> Path:
        path = tmp_path / f"foreign{suffix}"
        path.write_bytes(content)
        return path

    return make


def test_a_recipe_by_itself(tmp_path):
    path = tmp_path / "look.recipe.json"
    path.write_text(RECIPE.to_json())
    assert recipe_in(path) == RECIPE
    assert origin_of(path) == origin_of(path) and origin_of(path).where == FROM_INSIDE
    path.write_text("{")
    with pytest.raises(InputError, match=r"look\.recipe\.json is no recipe: it isn't JSON"):
        recipe_in(path)
    with pytest.raises(InputError, match=r"is not there|can't be read"):
        recipe_in(tmp_path / "other.recipe.json")


def test_files_that_are_not_there(tmp_path):
    for path, why in ((tmp_path, r"can't be read \(is a directory\)"), (tmp_path / "x.png", "is not there")):
        with pytest.raises(InputError, match=f"{why}; give a seed, a recipe, or a file that ganassets made"):
            origin_of(path)


def test_files_without_a_recipe(tmp_path, write_foreign_file):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    Image.new("RGB", (4, 4)).save(tmp_path / "a.webp")
    Image.new("RGB", (4, 4)).save(tmp_path / "a.gif", comment="{}")
    paths = [tmp_path / f"a.{suffix}" for suffix in ("png", "webp", "gif")]
    for path in [
        *paths,
        write_foreign_file(".stl"),
        write_foreign_file(".obj", b"# recipe\nv 1 2 3\n"),
        write_foreign_file(".mtlx", b"<a><b/></a>"),
    ]:
        with pytest.raises(InputError, match=r"carries no recipe, and index\.jsonl"):
            origin_of(path)


@pytest.mark.parametrize("suffix", [s for s in READERS if s not in (".obj", ".mtl", ".ply", ".tres", ".json")])
def test_damaged_files_are_reported(write_foreign_file, suffix):
    with pytest.raises(InputError, match="is damaged; its metadata can't be read"):
        origin_of(write_foreign_file(suffix, b"\0nothing of the kind"))


@pytest.mark.parametrize("asset", [[], 3, {"extras": []}, {"extras": {"recipe": 3}}])
def test_a_glb_of_somebody_else(write_foreign_file, asset):
    text = json.dumps({"asset": asset}).encode()
    path = write_foreign_file(".glb", struct.pack("<4sIIII", b"glTF", 2, 20 + len(text), len(text), 0x4E4F534A) + text)
    with pytest.raises(InputError, match=r"carries no recipe|holds no whole recipe"):
        origin_of(path)


def test_a_picture_whose_note_is_of_somebody_else(tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add_text("Recipe", "Two eggs, flour")
    Image.new("RGB", (4, 4)).save(tmp_path / "cake.png", pnginfo=info)
    with pytest.raises(InputError, match=r"cake\.png is no recipe: it isn't JSON"):
        origin_of(tmp_path / "cake.png")


def entered(out: Path, name: str, recipe: Recipe = RECIPE) -> Path:
    """A file of an output folder whose index knows it."""
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"solid")
    with Index(out) as index:
        index.begin()
        index.enter("x", "0" * 16, {name: (5, "0" * 64)}, recipe.to_json())
        index.end()
    return path


@pytest.mark.parametrize("name", ["a.stl", "b/a.stl", "b/c/d/a.stl", "größe 鳥.stl", 'a"quoted.stl'])
def test_an_index_covers_files_at_any_depth_and_of_any_name(tmp_path, name, monkeypatch):
    if os.name == "nt" and '"' in name:
        pytest.skip("Windows has no such names")
    path = entered(tmp_path, name)
    assert origin_of(path).where == FROM_INDEX and origin_of(path).recipe == RECIPE
    monkeypatch.chdir(path.parent)
    assert origin_of(Path(path.name)).recipe == RECIPE
    (path.parent / "other").mkdir()
    assert origin_of(Path("other", "..", path.name)).recipe == RECIPE
    path.rename("renamed.stl")
    with pytest.raises(InputError, match="carries no recipe"):
        origin_of(Path("renamed.stl"))


def test_the_newest_entry_of_the_nearest_index_counts(tmp_path):
    entered(tmp_path, "b/a.stl", RECIPE.changed(seed=1))
    path = entered(tmp_path, "b/a.stl", RECIPE.changed(seed=2))
    assert origin_of(path).recipe.seed == 2
    entered(tmp_path / "b", "other.stl", RECIPE.changed(seed=3))
    assert origin_of(path).recipe.seed == 2, "the nearer index doesn't know it"
    entered(tmp_path / "b", "a.stl", RECIPE.changed(seed=4))
    assert origin_of(path).recipe.seed == 4


def test_an_index_that_a_run_is_writing_is_read(tmp_path):
    path = entered(tmp_path, "a.stl")
    with (tmp_path / INDEX).open("ab") as file:
        file.write(b'{"name": "y", "files": {"a.stl"')
    assert origin_of(path).recipe == RECIPE


def test_what_stands_beside_goes_before_the_index(tmp_path):
    path = entered(tmp_path, "a.stl")
    (tmp_path / "a.stl.json").write_text(json.dumps({"Recipe": RECIPE.changed(seed=5).to_json()}))
    assert origin_of(path).where == FROM_BESIDE and origin_of(path).recipe.seed == 5
    (tmp_path / "a.stl.json").write_text("{")
    assert origin_of(path).where == FROM_INDEX


@pytest.mark.parametrize("head", [b"#", b"comment", b"//", b" ; "])
def test_recipes_in_comments(write_foreign_file, head):
    path = write_foreign_file(".obj", b"v 1 2 3\n" + head + b" recipe " + RECIPE.to_json().encode() + b"\r\n")
    assert origin_of(path).recipe == RECIPE


@pytest.mark.parametrize("text", ['<!DOCTYPE a [<!ENTITY b "c">]><a recipe="&b;"/>', "<a></b>", "<a b=c/>"])
def test_xml_that_is_not_read(write_foreign_file, text):
    with pytest.raises(InputError, match="is damaged"):
        origin_of(write_foreign_file(".mtlx", text.encode()))
