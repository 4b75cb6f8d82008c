"""The engine in one process: existing files stay, missing ones are written, and the folder is the same."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ganassets.api.errors import GanassetsError, InputError
from ganassets.inference.batch import engine
from ganassets.inference.batch.engine import (
    FAILURES,
    MAX_SHOWN,
    BatchSettings,
    estimate,
    run_batch,
    share_topology,
    units_to_show,
)
from ganassets.inference.batch.index import INDEX
from ganassets.inference.batch.plan import Plan
from ganassets.inference.batch.worker import UnitMaker
from ganassets.inference.model import open_model
from ganassets.inference.pipeline import make_assets
from ganassets.inference.recipe import parse_recipe

ONE = BatchSettings(workers=1, trusted=True)
# Fails for the seeds in an environment variable.
PICKY = """
import os
from ganassets.api.assets import Exporter

def export(asset, options):
    if str(asset.provenance.seed) in os.environ.get("PICKY", "").split(","):
        raise ValueError("not this one")
    return {asset.name + ".bin": asset.positions.tobytes()}

EXPORTER = Exporter("picky", "Bare positions.", 1, ("mesh",), (".bin",), export)
"""


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def picky(squares, monkeypatch):
    """Return refuse(seeds), which lets the exporter "picky" fail for these seeds."""
    squares.install("picky", "[ganassets.exporters]\npicky = engine_picky:EXPORTER\n", {"engine_picky": PICKY})
    monkeypatch.setenv("PICKY", "")
    return lambda *seeds: monkeypatch.setenv("PICKY", ",".join(map(str, seeds)))


def contents(out):
    """All files by their path."""
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def entries(out):
    """The index's lines about assets."""
    return [line for line in map(json.loads, (out / INDEX).read_text().splitlines()) if "name" in line]


def only_asset(model, spec, recipe) -> Any:
    """The asset of a recipe."""
    (asset,) = make_assets(model, spec, [recipe])
    return asset


@pytest.fixture
def made(monkeypatch):
    """Indices of the units that were made, in order."""
    found = []

    def assets(self, indices):
        found.extend(indices)
        return unspied(self, indices)

    unspied = UnitMaker.assets
    monkeypatch.setattr(UnitMaker, "assets", assets)
    return found


def test_a_batch_is_its_files_and_an_index(make_job, spec, file, out):
    job = make_job((7, 3), {"truncation": 0.4})
    heard = []
    summary = run_batch(Plan([job]), out, ONE, lambda done, total: heard.append((done, total)))
    assert (summary.made, summary.skipped, summary.failures, summary.shown) == (2, 0, [], {})
    assert heard == [(1, 2), (2, 2)]
    files = contents(out)
    assert sorted(files) == [INDEX, *sorted(f"squares-0000000{n}.{s}" for n in (3, 7) for s in ("bin", "txt"))]
    model = open_model(file.path, threads=1)
    for entry, seed in zip(entries(out), (7, 3), strict=True):
        recipe = parse_recipe(json.dumps(entry["recipe"]), "it")
        assert recipe == job.recipe(job.unit((7, 3).index(seed)))
        asset = only_asset(model, spec, recipe)
        assert files[f"squares-{seed:08d}.bin"] == asset.positions.tobytes()
        assert {name: facts["bytes"] for name, facts in entry["files"].items()} == {
            f"squares-{seed:08d}.bin": 48, f"squares-{seed:08d}.txt": 1
        }  # fmt: skip


def test_the_same_again_makes_and_writes_nothing(make_job, out, made):
    plan = Plan([make_job()])
    run_batch(plan, out, ONE)
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    made.clear()
    summary = run_batch(plan, out, ONE)
    assert (summary.made, summary.skipped) == (0, 3) and made == []
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before


def test_more_seeds_are_added_to_those_that_are_there(make_job, out, made):
    run_batch(Plan([make_job(range(3))]), out, ONE)
    made.clear()
    summary = run_batch(Plan([make_job(range(6))]), out, ONE)
    assert (summary.made, summary.skipped) == (3, 3) and made == [3, 4, 5]
    at_once = out.with_name("at-once")
    run_batch(Plan([make_job(range(6))]), at_once, ONE)
    together, whole = contents(out), contents(at_once)
    del together[INDEX], whole[INDEX]
    assert together == whole


@pytest.mark.parametrize("damage", ["gone", "short", "one of two"])
def test_missing_files_are_written_again(make_job, out, made, damage):
    plan = Plan([make_job()])
    run_batch(plan, out, ONE)
    before = contents(out)
    path = out / ("squares-00000002.txt" if damage == "one of two" else "squares-00000002.bin")
    path.write_bytes(b"") if damage == "short" else path.unlink()
    made.clear()
    summary = run_batch(plan, out, ONE)
    assert (summary.made, summary.skipped) == (1, 2) and made == [1]
    after = contents(out)
    assert after.pop(INDEX) != before.pop(INDEX)
    assert after == before


def test_an_interrupted_batch_continues_to_the_same_bytes(make_job, out, monkeypatch):
    """Stop before each line of the index, with the files of the next asset written already."""
    plan = Plan([make_job(range(5))])
    run_batch(plan, out.with_name("whole"), ONE)
    whole = contents(out.with_name("whole"))
    lines = whole[INDEX].splitlines(keepends=True)
    for kept in range(len(lines)):
        cut = out.with_name(f"cut-{kept}")
        cut.mkdir()
        for name, content in list(whole.items())[: 2 * kept + 3]:
            (cut / name).write_bytes(content)
        (cut / INDEX).write_bytes(b"".join(lines[:kept]) + b'{"na'[: 4 * (kept > 0)])
        (cut / f".{'0' * 16}.tmp").write_bytes(b"half")
        if not kept:  # that run had not even begun; what lies there is somebody's
            with pytest.raises(InputError, match="is there already"):
                run_batch(plan, cut, ONE)
            continue
        run_batch(plan, cut, ONE)
        assert contents(cut) == whole, kept


def test_a_run_that_was_cut_off_before_its_last_line_ends(make_job, out):
    """All is made, only the end is missing: what lies there afterwards is nobody's again."""
    plan = Plan([make_job()])
    run_batch(plan, out, ONE)
    whole = contents(out)
    (out / INDEX).write_bytes(b"".join(whole[INDEX].splitlines(keepends=True)[:-1]))
    assert run_batch(plan, out, ONE).made == 0
    assert contents(out) == whole
    (out / "squares-00000009.bin").write_text("mine")
    with pytest.raises(InputError, match=r"squares-00000009\.bin is there already"):
        run_batch(Plan([make_job((9,))]), out, ONE)


def test_what_a_cut_off_run_has_entered_is_not_replaced_by_another_look(make_job, out):
    run_batch(Plan([make_job()]), out, ONE)
    lines = (out / INDEX).read_bytes().splitlines(keepends=True)
    (out / INDEX).write_bytes(b"".join(lines[:-2]))  # as if it had been stopped after two of three
    before = contents(out)
    with pytest.raises(InputError, match=r"squares-00000001\.bin is there already; choose another folder"):
        run_batch(Plan([make_job(request={"truncation": 0.1})]), out, ONE)
    assert contents(out) == before


def test_other_looks_of_the_same_names_are_refused(make_job, out, made):
    run_batch(Plan([make_job()]), out, ONE)
    before = contents(out)
    made.clear()
    with pytest.raises(InputError, match="is there already; choose another folder or use --overwrite"):
        run_batch(Plan([make_job((3, 4), {"truncation": 0.1})]), out, ONE)
    assert contents(out) == before and made == []
    summary = run_batch(Plan([make_job((3, 4), {"truncation": 0.1})]), out, replace(ONE, overwrite=True))
    assert (summary.made, summary.skipped) == (2, 0)
    assert contents(out)["squares-00000003.bin"] != before["squares-00000003.bin"]
    assert run_batch(Plan([make_job((3, 4), {"truncation": 0.1})]), out, ONE).skipped == 2, "the newest entry counts"
    assert run_batch(Plan([make_job((1, 2))]), out, ONE).skipped == 2


@pytest.mark.parametrize("name", ["squares-00000002.bin", "squares-00000002_notes.txt", "T_squares-00000002_BC.png"])
def test_files_of_somebody_else_are_left_alone(make_job, out, name):
    out.mkdir()
    (out / name).write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        run_batch(Plan([make_job()]), out, ONE)
    assert contents(out) == {INDEX: b"", name: b"mine"}
    (out / name).rename(out / "squares-000000021.bin")
    assert run_batch(Plan([make_job()]), out, ONE).made == 3


def test_overwriting_makes_all_again(make_job, out, made):
    plan = Plan([make_job()])
    run_batch(plan, out, ONE)
    before = contents(out)
    made.clear()
    assert run_batch(plan, out, replace(ONE, overwrite=True)).made == 3 and made == [0, 1, 2]
    after = contents(out)
    assert after.pop(INDEX).startswith(before.pop(INDEX)) and after == before


def test_one_name_in_two_folders(make_job, out, made):
    plan = Plan([make_job(folder="a"), make_job(folder="b/c", title="2"), make_job((9,), title="3")])
    assert run_batch(plan, out, ONE).made == 7
    assert sorted(path.name for path in (out / "b/c").iterdir())[0] == "squares-00000001.bin"
    assert [entry["name"] for entry in entries(out)][2:5] == [
        "a/squares-00000003",
        *[f"b/c/squares-0000000{n}" for n in "12"],
    ]
    made.clear()
    assert run_batch(plan, out, ONE).skipped == 7 and made == []
    (out / "a/squares-00000001.bin").unlink()
    assert run_batch(plan, out, ONE).made == 1 and made == [0]


def test_failures_are_listed_and_retried(make_job, out, picky, made):
    picky(2, 4)
    plan = Plan([make_job(range(1, 6), exporter="picky", options={})])
    summary = run_batch(plan, out, ONE)
    assert (summary.made, [failure.seed for failure in summary.failures]) == (3, [2, 4])
    listed = [json.loads(line) for line in (out / FAILURES).read_text().splitlines()]
    why = (
        "exporter 'picky' of picky 1.0: export must return a dict of bytes by file name, but it raised ValueError: "
        "not this one; update the plugin or tell its author."
    )
    assert listed == [{"name": f"squares-0000000{n}", "seed": n, "error": why} for n in (2, 4)]
    assert [entry["name"][-1] for entry in entries(out)] == ["1", "3", "5"]
    made.clear()
    picky(4)
    summary = run_batch(plan, out, ONE)
    assert (summary.made, summary.skipped, len(summary.failures)) == (1, 3, 1) and made == [1, 3]
    assert [json.loads(line)["seed"] for line in (out / FAILURES).read_text().splitlines()] == [4]
    assert len(run_batch(plan, out, ONE).failures) == 1, "a batch without new assets does not stop"
    picky()
    assert run_batch(plan, out, ONE).made == 1
    assert not (out / FAILURES).exists()


def test_failures_that_stay_do_not_keep_the_rest_from_being_made(make_job, out, picky):
    picky(*range(20))
    plan = Plan([make_job(range(25), exporter="picky", options={})])
    picky(*range(1, 20))
    assert run_batch(plan, out, ONE).made == 6
    longer = Plan([make_job(range(40), exporter="picky", options={})])
    summary = run_batch(longer, out, ONE)
    assert (summary.made, len(summary.failures)) == (15, 19)


def test_an_error_that_all_assets_share_is_reported_once(make_job, out, picky, made):
    picky(*range(1000))
    with pytest.raises(GanassetsError, match=r"exporter 'picky' of .* raised ValueError: not this one"):
        run_batch(Plan([make_job(range(1000), exporter="picky", options={})]), out, ONE)
    assert len(made) < 20
    assert contents(out)[INDEX].count(b"\n") == 1


def test_a_model_that_was_replaced_ends_the_batch(make_job, make_model, out):
    plan = Plan([make_job()])
    make_model(licence="MIT")
    with pytest.raises(InputError, match="was replaced while the batch ran; start it again"):
        run_batch(plan, out, ONE)
    plan.jobs[0].file.path.unlink()
    with pytest.raises(InputError, match="is not there"):
        run_batch(plan, out, ONE)


def test_sheets_show_all_or_some_evenly_spaced(make_job, monkeypatch):
    plan = Plan([make_job(range(3), folder="a"), make_job(range(200), folder="b", title="2")])
    assert list(units_to_show(plan))[:3] == [0, 1, 2]
    rest = [i - 3 for i in list(units_to_show(plan))[3:]]
    assert len(rest) == MAX_SHOWN and rest[0] == 0 and rest[-1] >= 195
    assert set(np.diff(rest)) <= {3, 4}


def test_sheets_show_the_same_however_the_batch_was_made(make_job, out, monkeypatch):
    monkeypatch.setattr(engine, "MAX_SHOWN", 4)
    settings = replace(ONE, sheet=True)

    def shown(folder, count):
        summary = run_batch(Plan([make_job(range(count))]), folder, settings)
        return [asset.name for asset in summary.shown.get(0, [])]

    assert shown(out, 3) == ["squares-00000000", "squares-00000001", "squares-00000002"]
    grown = shown(out, 10)
    assert grown == [f"squares-{n:08d}" for n in (0, 2, 5, 7)] == shown(out.with_name("at-once"), 10)
    assert shown(out, 10) == grown, "none is drawn yet"
    (out / "contact-sheet.png").write_bytes(b"drawn")
    assert shown(out, 10) == []
    before = contents(out)
    (out / "contact-sheet.png").unlink()
    assert shown(out, 10) == grown
    del before["contact-sheet.png"]
    assert contents(out) == before, "texts that are only shown are not written"


def test_assets_of_a_sheet_share_their_topology(make_job, out, spec, file):
    model = open_model(file.path, threads=1)
    recipe = make_job().seed_recipe(1)
    a, b = (only_asset(model, spec, recipe) for _ in range(2))
    assert a.topology is not b.topology
    others = {0: [SimpleNamespace(name="a clip")], 1: [a]}
    assert share_topology(b, others).topology is a.topology
    assert share_topology(others[0][0], others) is others[0][0]
    unlike = replace(b, topology=replace(b.topology, uvs=b.topology.uvs[::-1].copy()))
    assert share_topology(unlike, others).topology is unlike.topology


def test_an_estimate_is_made_of_some_and_writes_nothing(make_job, out, made):
    plan = Plan([make_job(range(1000), folder="a"), make_job((5,), folder="b", title="2", options={"copies": 3})])
    first, second = estimate(plan, ONE)
    assert (first.assets, first.files, first.bytes) == (1000, 2, 49)
    assert (second.assets, second.files, second.bytes) == (1, 2, 145)
    assert first.seconds > 0
    assert len(made) == 4 and not out.exists()


def test_an_estimate_raises_errors_of_assets(make_job, picky):
    picky(0)
    with pytest.raises(GanassetsError, match="exporter 'picky' of"):
        estimate(Plan([make_job(range(10), exporter="picky", options={})]), ONE)


def test_a_model_that_is_not_trusted_is_not_opened_here(make_job, out, made):
    """Neither to make assets nor to estimate what they take."""
    settings = BatchSettings(workers=1, memory=4 * 2**30)
    plan = Plan([make_job((1,))])
    (found,) = estimate(plan, settings)
    assert (found.files, found.bytes) == (2, 49) and made == []
    assert run_batch(plan, out, settings).made == 1 and made == []
    alone = out.with_name("alone")
    run_batch(plan, alone, ONE)
    assert contents(alone) == contents(out)


def test_workers_have_memory(make_job, monkeypatch):
    plan = Plan([make_job()])
    monkeypatch.setattr(engine.os, "sched_getaffinity", lambda _: range(64), raising=False)
    for free, workers in ((1e9, 3), (1e8, 1), (1e12, engine.MAX_WORKERS)):
        monkeypatch.setattr(engine, "free_memory", lambda free=free: free)
        assert engine.default_workers(plan, cuda=False) == workers
    assert engine.default_workers(plan, cuda=True) == engine.MAX_CUDA_WORKERS
    assert engine.default_workers(plan, cuda=False, allowed=10**12 // 3) == 3


def test_larger_maps_take_more_time(make_job):
    job = make_job()
    larger = replace(job, request=job.request.model_copy(update={"size": (4096, 4096)}))
    settings = BatchSettings(patience=120.0)
    assert engine.patience_for(Plan([job]), BatchSettings()) is None
    assert [engine.patience_for(Plan(jobs), settings) for jobs in ([job], [job, larger])] == [120, 480]


def test_larger_maps_take_more_memory(make_job, file, spec):
    recipe = make_job().seed_recipe(1).changed(size=(2048, 1024))
    plain = make_job()
    sized = replace(plain, request=plain.request.model_copy(update={"size": (2048, 1024)}))
    assert engine.worker_memory(plain) == engine.BYTES_AT_REST
    assert engine.worker_memory(sized) == engine.worker_memory(replace(plain, recipes=(recipe,))) > 2e9
