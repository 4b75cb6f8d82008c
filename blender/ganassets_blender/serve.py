"""The process that a Blender's add-on talks to: `python -m ganassets_blender.serve`.

Requests come as lines of JSON, {"id": 7, "do": "run", ...}, and answers go back as lines, {"id": 7, ...} with one of
`progress`, `thumbnail`, `waiting`, `done` or `error`. A request is carried out at a time. {"do": "cancel", "id": 7}
ends one at the next asset. A heartbeat is sent all the while, so that a process that hangs is told from one that works.
It ends when its input does, so it can't outlive Blender.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from ganassets import __version__
from ganassets.api.errors import GanassetsError, InputError, one_line

BEAT = 0.25  # seconds
MOST_THUMBNAILS = 1000  # that are kept
NICENESS = 10  # whoever works in Blender goes first
GIGABYTE = 1e9
THUMBNAIL_SECONDS = 120.0  # that one may take


class Cancelled(Exception):
    """Whoever asked wants no more of it."""


class Problem(GanassetsError):
    """A failure and what it is about, so that the add-on can offer a way out.

    Attributes:
        about: "model", "looks", "library" or "making".
    """

    def __init__(self, about: str, error: GanassetsError) -> None:
        super().__init__(str(error))
        self.about = about


class Line:
    """The way back to Blender; any thread may use it."""

    def __init__(self, file: IO[str]) -> None:
        self.file, self.lock = file, threading.Lock()

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a line; the process ends when nobody is there to read it."""
        try:
            with self.lock:
                self.file.write(json.dumps(message) + "\n")
                self.file.flush()
        except (OSError, ValueError):
            os._exit(1)


class Call:
    """One request that is carried out.

    Args:
        request: as it came.
        line: for answers.
        cancelled: ids of requests that are no longer wanted.
    """

    def __init__(self, request: Mapping[str, Any], line: Line, cancelled: set[int]) -> None:
        self.request, self.line, self.cancelled = request, line, cancelled
        self.id = int(request.get("id", 0))

    def say(self, **what: Any) -> None:
        """Send an answer, unless it is no longer wanted."""
        if self.id in self.cancelled:
            raise Cancelled
        self.line.send({"id": self.id, **what})

    def progress(self, done: int, total: int) -> None:
        """Say how far it is."""
        self.say(progress=[done, total])

    def waiting(self, text: str) -> None:
        """Say what is waited for."""
        self.say(waiting=text)


def about(what: str, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """A call whose failure is about something."""
    try:
        return call(*arguments, **named)
    except Problem:
        raise
    except GanassetsError as error:
        raise Problem(what, error) from error


def main() -> None:
    """Serve until the input ends."""
    step_back()
    line = Line(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)  # what libraries print is no answer
    requests: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
    cancelled: set[int] = set()
    threading.Thread(target=listen, args=(requests, cancelled), daemon=True).start()
    import onnxruntime  # noqa: F401 - what takes longest comes before the first heartbeat

    threading.Thread(target=beat, args=(line,), daemon=True).start()
    line.send({"hello": __version__})
    while True:
        answer(Call(requests.get(), line, cancelled))


def step_back() -> None:
    """Let whoever works in Blender go first: a batch takes what is left of the processors."""
    if hasattr(os, "nice"):  # on Windows the add-on starts this with a lower priority
        os.nice(NICENESS)
    # Linux shares time between sessions first, and this process has begun one.
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(NICENESS))


def listen(requests: queue.SimpleQueue[Mapping[str, Any]], cancelled: set[int]) -> None:
    """Take requests in."""
    for text in sys.stdin:
        request = json.loads(text)
        if request.get("do") == "cancel":
            cancelled.add(int(request["id"]))
        else:
            requests.put(request)
    os._exit(0)  # Blender is gone


def beat(line: Line) -> None:
    """Say, again and again, that the process lives."""
    event = threading.Event()
    while not event.wait(BEAT):
        line.send({"beat": 1})


def answer(call: Call) -> None:
    """Carry a request out and say how it ended."""
    try:
        call.say(done=REQUESTS[str(call.request.get("do"))](call))
    except Cancelled:
        call.line.send({"id": call.id, "cancelled": True})
    except GanassetsError as error:
        call.line.send({"id": call.id, "error": str(error), "about": getattr(error, "about", "making")})
    except MemoryError:
        call.line.send({"id": call.id, "error": "there is not enough memory for this.", "about": "looks"})
    except Exception as error:
        call.line.send({"id": call.id, "error": f"something unexpected happened ({one_line(error)}).", "about": ""})


def models(call: Call) -> list[dict[str, Any]]:
    """What there is to choose from: the models in the box, and those in folders and files of the user's.

    Request: "paths", files and folders. A file that is no model is told with its error; in a folder such files are
    left out.
    """
    from ganassets.api.registry import generator_names
    from ganassets.inference.model_search import shipped_models

    boxed: list[Path] = []
    for name in generator_names():
        try:
            boxed += shipped_models(name)
        except GanassetsError:
            continue  # a plugin that fails is one that has no models
    found = [describe(path, boxed=True) for path in boxed]
    for text in call.request.get("paths", ()):
        path = Path(text)
        if path.is_dir():
            told = [describe(file) for file in sorted({*path.glob("*.onnx"), *path.glob("*/model.onnx")})]
            found += [one for one in told if "error" not in one]
        else:
            found.append(describe(path))
    return [one for one in found if one.get("kind") in ("textures", "mesh", "motion", None)]


def describe(path: Path, boxed: bool = False) -> dict[str, Any]:
    """What a panel shows of a model file: its name, sliders, settings, step of its sizes; or its error."""
    from ganassets.api.registry import load_generator
    from ganassets.inference.model import check_plugin, inspect_model

    where = {"path": str(path), "name": path.parent.name if path.stem == "model" else path.stem, "boxed": boxed}
    try:
        file = inspect_model(path)
        spec = load_generator(file.manifest.generator)
        check_plugin(file, spec)
    except GanassetsError as error:
        return {**where, "error": str(error)}
    manifest = file.manifest
    return {
        **where,
        "generator": manifest.generator,
        "summary": spec.summary,
        "kind": spec.asset_kind,
        "conditions": [condition.model_dump() for condition in manifest.conditions],
        "settings": [
            {
                "name": option.name,
                "type": option.type.__name__,
                "default": option.default,
                "help": option.help,
                "choices": option.choices,
                "low": option.low,
                "high": option.high,
            }
            for option in spec.settings
        ],
        "stride": manifest.noise.stride if manifest.noise and not spec.map_size else 0,
    }


def plan_for(call: Call) -> Any:
    """The plan of a call's job: the fields of a GenerationRequest."""
    from ganassets.inference.batch.plan import Plan
    from ganassets.inference.model import inspect_model
    from ganassets.inference.model_search import find_model
    from ganassets.inference.request import GenerationRequest
    from ganassets.inference.resolve import resolve_request

    try:
        request = GenerationRequest.model_validate({**call.request["job"], "to": "parts"})
    except InputError as error:
        wrong = InputError(f"the job is wrong: {error}")
        raise (
            wrong if error.__cause__ else Problem("looks", wrong)
        ) from error  # a cause is pydantic's: no user's mistake
    file = about("model", inspect_model, about("model", find_model, request.model))
    plan = Plan([about("looks", resolve_request, request, file=file, title="1")])
    about("looks", plan.check_names)
    return plan


def settings_for(call: Call, plan: Any) -> Any:
    """How a plan is made within what the user allows: threads, memory, a kind of device.

    Request: "threads", "memory" (GB; 0 is no limit), "provider" (of onnxruntime; the processor by default).
    """
    from ganassets.inference.batch.engine import BatchSettings, default_workers, worker_memory
    from ganassets.inference.model import CPU
    from ganassets.inference.model_search import is_in_box

    request = call.request
    memory = float(request.get("memory") or 0) * GIGABYTE
    workers = int(request.get("threads") or 0) or default_workers(plan, cuda=False)
    if memory:
        needed = max(map(worker_memory, plan.jobs))
        if needed > memory:
            raise Problem(
                "looks",
                InputError(
                    f"one asset of this size takes about {needed / GIGABYTE:.1f} GB, and the limit in the preferences "
                    f"is {memory / GIGABYTE:g} GB; make it smaller or raise the limit."
                ),
            )
        workers = max(1, min(workers, int(memory / needed)))
    providers = tuple(dict.fromkeys((str(request.get("provider") or CPU), CPU)))
    # Blender's working folder is none that the user chose, so a run in it is no better than any other file.
    trusted = all(is_in_box(job.file) for job in plan.jobs)
    most = None if trusted else int(memory) or None
    return BatchSettings(workers=workers, providers=providers, memory=most, trusted=trusted)


def run_job(call: Call) -> dict[str, Any]:
    """Make the parts of a job's assets in a folder.

    Request: "job", "out", and see settings_for. Answer: names of the assets in the job's order, and the failures.
    """
    from ganassets.inference.batch.engine import run

    plan = plan_for(call)
    settings = settings_for(call, plan)
    call.progress(0, len(plan))
    summary = run(plan, Path(call.request["out"]), settings, call.progress, call.waiting)
    failed = {failure.name for failure in summary.failures}
    names = [job.path(unit) for job, unit in plan]
    return {
        "assets": [name for name in names if name not in failed],
        "failures": [failure.why for failure in summary.failures],
    }


def fill_library(call: Call) -> dict[str, Any]:
    """Make a job's assets and add them to an asset library.

    Request: "job", "library", "pack", "author", "licence", and see settings_for. The background Blender is the one that
    the environment names (see ganassets.api.blender).
    """
    from .library import Terms, add_to_library

    request, plan = call.request, plan_for(call)
    settings = settings_for(call, plan)
    terms = Terms(bool(request.get("pack", True)), str(request.get("author", "")), str(request.get("licence", "")))
    call.progress(0, len(plan))
    library = Path(request["library"])
    try:
        added = add_to_library(plan, library, terms, settings, call.progress, call.waiting)
    except GanassetsError as error:  # all that is wrong with the library names its folder
        raise Problem("library" if str(library) in str(error) else "making", error) from error
    return {
        "new": added.new,
        "there": added.there,
        "volumes": [str(path) for path in added.volumes],
        "failures": [failure.why for failure in added.failures],
    }


def thumbnails(call: Call) -> dict[str, Any]:
    """Small pictures of a job's assets, one at a time and the first ones first.

    Request: "job", "folder", "side" in pixels, and see settings_for. What is in the folder already is not made again.
    """
    from ganassets.api.writer import write_atomic

    plan = plan_for(call)
    settings = settings_for(call, plan)
    folder, side = Path(call.request["folder"]), int(call.request["side"])
    paths = [
        folder / f"{hashlib.sha256(f'{job.key(unit)} {side}'.encode()).hexdigest()[:24]}.png" for job, unit in plan
    ]
    missing = [i for i, path in enumerate(paths) if not path.is_file()]
    made = pictures(plan, missing, side) if settings.trusted else pictures_apart(plan, settings, missing, side)
    with contextlib.closing(made) as drawn:
        for i, (_, unit) in enumerate(plan):
            if i in missing:
                write_atomic(paths[i], next(drawn))
            call.say(thumbnail={"seed": unit.seed, "file": str(paths[i])})
    prune(folder)
    return {}


def pictures(plan: Any, indices: Sequence[int], side: int) -> Generator[bytes, None, None]:
    """PNG of some units of a job, whose model is opened in this process."""
    studio: Studio | None = None
    for i in indices:
        job, unit = plan.unit(i)
        studio = studio or Studio(job)
        with in_time(THUMBNAIL_SECONDS):
            picture = studio.picture(unit, side)
        yield picture


def pictures_apart(plan: Any, settings: Any, indices: Sequence[int], side: int) -> Generator[bytes, None, None]:
    """PNG of some units of a job, made in a process under the limits of models that are not trusted."""
    from ganassets.inference.batch.engine import error_of, patience_for, with_limits
    from ganassets.inference.batch.pool import Pool
    from ganassets.inference.batch.worker import Made, Task, WorkerSettings

    settings = with_limits(plan, settings)
    terms = WorkerSettings(None, settings.providers, settings.memory, patience_for(plan, settings))
    with Pool(plan, terms, 1) as pool:
        for answer in pool.results(Task((i,), frozenset(), frozenset({i})) for i in indices):
            if not isinstance(answer, Made):
                raise Problem("model", error_of(answer.why, answer.exit_code))
            yield encode_thumbnail(answer.asset, side)


@contextlib.contextmanager
def in_time(seconds: float) -> Iterator[None]:
    """End this process where something takes longer: nothing else stops a model that computes for ever."""
    clock = threading.Timer(seconds, os._exit, (1,))
    clock.start()
    try:
        yield
    finally:
        clock.cancel()


def prune(folder: Path) -> None:
    """Remove thumbnails that were made long ago, when there are many."""
    with contextlib.suppress(OSError):  # another Blender may show or remove them at this moment
        for path in sorted(folder.glob("*.png"), key=lambda path: path.stat().st_mtime)[:-MOST_THUMBNAILS]:
            path.unlink(missing_ok=True)


def encode_thumbnail(asset: Any, side: int) -> bytes:
    """PNG of an asset."""
    from .parts import png_of
    from .thumbnails import thumbnail

    return png_of(thumbnail(asset, side), {})


class Studio:
    """A job's model, opened for pictures."""

    def __init__(self, job: Any) -> None:
        from ganassets.api.registry import load_generator
        from ganassets.inference.model import open_model

        self.job = job
        self.spec = load_generator(job.generator)
        self.model = about("model", open_model, job.file.path)

    def picture(self, unit: Any, side: int) -> bytes:
        """PNG of a unit's asset."""
        from ganassets.inference.pipeline import make_assets

        (asset,) = make_assets(self.model, self.spec, [self.job.recipe(unit)])
        return encode_thumbnail(asset, side)


REQUESTS: dict[str, Callable[[Call], Any]] = {
    "models": models,
    "run": run_job,
    "library": fill_library,
    "thumbnails": thumbnails,
}


if __name__ == "__main__":
    main()
