"""The worker process of the Blender add-on: `python -m ganassets_blender.serve`.

Requests are lines of JSON on standard input: {"id": 7, "do": "run", ...}. Answers are lines of JSON on standard output:
{"id": 7, ...} with one of `progress`, `thumbnail`, `waiting`, `done`, `error` or `cancelled`. Requests are handled one
after the other. {"do": "cancel", "id": 7} stops a request at the next asset. Heartbeats are sent all the time, so that
the add-on notices a process that hangs. The process ends when its input ends, so it can't outlive Blender.
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
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ganassets import __version__
from ganassets.api.errors import GanassetsError, InputError, one_line

if TYPE_CHECKING:
    from ganassets.inference.batch.engine import BatchSettings
    from ganassets.inference.batch.plan import BatchUnit, Plan, ResolvedRequest

HEARTBEAT_INTERVAL = 0.25  # seconds
MAX_THUMBNAILS = 1000  # files in the cache
NICENESS = 10  # lower priority than Blender
GIGABYTE = 1e9
THUMBNAIL_TIMEOUT = 120.0  # seconds


class CancelledError(Exception):
    """The add-on has cancelled the request."""


class RequestError(GanassetsError):
    """A failed request.

    Attributes:
        about: subject of the error, for which the add-on offers a remedy: "model", "looks", "library" or "making".
    """

    def __init__(self, about: str, error: GanassetsError) -> None:
        super().__init__(str(error))
        self.about = about


class AnswerStream:
    """Sends answers to Blender; any thread may use it."""

    def __init__(self, file: IO[str]) -> None:
        self.file, self.lock = file, threading.Lock()

    def send(self, message: Mapping[str, Any]) -> None:
        """Send an answer; end the process if Blender no longer reads them."""
        try:
            with self.lock:
                self.file.write(json.dumps(message) + "\n")
                self.file.flush()
        except (OSError, ValueError):
            os._exit(1)


class WorkerRequest:
    """One request.

    Args:
        fields: fields of the request.
        stream: stream for answers.
        cancelled: ids of cancelled requests; another thread adds to it.
    """

    def __init__(self, fields: Mapping[str, Any], stream: AnswerStream, cancelled: set[int]) -> None:
        self.fields, self.stream, self.cancelled = fields, stream, cancelled
        self.id = int(fields.get("id", 0))

    def answer(self, **fields: Any) -> None:
        """Send an answer; CancelledError if the request is cancelled."""
        if self.id in self.cancelled:
            raise CancelledError
        self.stream.send({"id": self.id, **fields})

    def progress(self, done: int, total: int) -> None:
        """Send the progress."""
        self.answer(progress=[done, total])

    def waiting(self, text: str) -> None:
        """Send what the request is waiting for."""
        self.answer(waiting=text)


def with_subject(about: str, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Call a function; an error becomes a RequestError.

    Args:
        about: subject of the error.
        call: the function.
        *arguments: its positional arguments.
        **named: its keyword arguments.
    """
    try:
        return call(*arguments, **named)
    except RequestError:
        raise
    except GanassetsError as error:
        raise RequestError(about, error) from error


def main() -> None:
    """Serve until the input ends."""
    lower_priority()
    stream = AnswerStream(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)  # output of libraries must not mix with the answers
    requests: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
    cancelled: set[int] = set()
    threading.Thread(target=listen, args=(requests, cancelled), daemon=True).start()
    import onnxruntime  # noqa: F401 - loaded before the first heartbeat, because it takes long

    threading.Thread(target=beat, args=(stream,), daemon=True).start()
    stream.send({"hello": __version__})
    while True:
        handle(WorkerRequest(requests.get(), stream, cancelled))


def lower_priority() -> None:
    """Yield the processors to Blender."""
    if hasattr(os, "nice"):  # on Windows, the add-on starts this process with a lower priority
        os.nice(NICENESS)
    # Linux first divides processor time between sessions, and this process is in a session of its own.
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(NICENESS))


def listen(requests: queue.SimpleQueue[Mapping[str, Any]], cancelled: set[int]) -> None:
    """Read requests from standard input until Blender closes it."""
    for text in sys.stdin:
        request = json.loads(text)
        if request.get("do") == "cancel":
            cancelled.add(int(request["id"]))
        else:
            requests.put(request)
    os._exit(0)  # Blender has ended


def beat(stream: AnswerStream) -> None:
    """Send heartbeats."""
    event = threading.Event()
    while not event.wait(HEARTBEAT_INTERVAL):
        stream.send({"beat": 1})


def handle(request: WorkerRequest) -> None:
    """Handle a request and send its result or error."""
    try:
        request.answer(done=HANDLERS[str(request.fields.get("do"))](request))
    except CancelledError:
        request.stream.send({"id": request.id, "cancelled": True})
    except GanassetsError as error:
        request.stream.send({"id": request.id, "error": str(error), "about": getattr(error, "about", "making")})
    except MemoryError:
        request.stream.send({"id": request.id, "error": "there is not enough memory.", "about": "looks"})
    except Exception as error:
        request.stream.send(
            {"id": request.id, "error": f"something unexpected happened ({one_line(error)}).", "about": ""}
        )


def list_models(request: WorkerRequest) -> list[dict[str, Any]]:
    """Describe the built-in models and those of the user.

    Fields of the request: "paths", files and folders. A file that is not a model is described with its error; in
    folders, such files are skipped.
    """
    from ganassets.api.registry import generator_names
    from ganassets.inference.model_search import shipped_models

    built_in: list[Path] = []
    for name in generator_names():
        try:
            built_in += shipped_models(name)
        except GanassetsError:
            continue  # a plugin that fails has no models
    found = [describe_model(path, boxed=True) for path in built_in]
    for text in request.fields.get("paths", ()):
        path = Path(text)
        if path.is_dir():
            files = sorted({*path.glob("*.onnx"), *path.glob("*/model.onnx")})
            found += [one for one in map(describe_model, files) if "error" not in one]
        else:
            found.append(describe_model(path))
    return [one for one in found if one.get("kind") in ("textures", "mesh", "motion", None)]


def describe_model(path: Path, boxed: bool = False) -> dict[str, Any]:
    """Describe a model for the panel: its name, sliders, settings and step of sizes, or its error.

    Args:
        path: path of the model file.
        boxed: whether the model is built in.
    """
    from ganassets.api.registry import load_generator
    from ganassets.inference.model import check_generator, inspect_model

    common = {"path": str(path), "name": path.parent.name if path.stem == "model" else path.stem, "boxed": boxed}
    try:
        file = inspect_model(path)
        spec = load_generator(file.manifest.generator)
        check_generator(file, spec)
    except GanassetsError as error:
        return {**common, "error": str(error)}
    manifest = file.manifest
    return {
        **common,
        "generator": manifest.generator,
        "summary": spec.summary,
        "kind": spec.asset_kind,
        "conditions": [asdict(condition) for condition in manifest.conditions],
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


def make_plan(request: WorkerRequest) -> Plan:
    """Make the plan of a request's "job", which has the fields of a GenerationRequest."""
    from ganassets.inference.batch.plan import Plan
    from ganassets.inference.model import inspect_model
    from ganassets.inference.model_search import find_model
    from ganassets.inference.request import GenerationRequest
    from ganassets.inference.resolve import resolve_request

    fields = {**request.fields["job"], "to": "parts"}
    about = "looks" if fields.keys() <= GenerationRequest.model_fields.keys() else "making"
    job = with_subject(about, GenerationRequest.model_validate, fields)
    file = with_subject("model", inspect_model, with_subject("model", find_model, job.model))
    plan = Plan([with_subject("looks", resolve_request, job, file=file, title="1")])
    with_subject("looks", plan.check_names)
    return plan


def make_settings(request: WorkerRequest, plan: Plan) -> BatchSettings:
    """Make the settings of a batch within the user's limits.

    Fields of the request: "threads" (number of processes; 0 to choose it), "memory" (GB; 0 for no limit) and "provider"
    (of onnxruntime; the processor by default).
    """
    from ganassets.inference.batch.engine import BatchSettings, default_workers, worker_memory
    from ganassets.inference.model import CPU
    from ganassets.inference.model_search import is_in_box

    fields = request.fields
    memory = float(fields.get("memory") or 0) * GIGABYTE
    workers = int(fields.get("threads") or 0) or default_workers(plan, cuda=False)
    if memory:
        needed = max(map(worker_memory, plan.jobs))
        if needed > memory:
            raise RequestError(
                "looks",
                InputError(
                    f"one asset of this size needs about {needed / GIGABYTE:.1f} GB, and the limit in the preferences "
                    f"is {memory / GIGABYTE:g} GB. Choose a smaller size or raise the limit."
                ),
            )
        workers = max(1, min(workers, int(memory / needed)))
    providers = tuple(dict.fromkeys((str(fields.get("provider") or CPU), CPU)))
    # A run in Blender's working folder is not trusted either, because the user has not chosen that folder.
    trusted = all(is_in_box(job.file) for job in plan.jobs)
    limit = None if trusted else int(memory) or None
    return BatchSettings(workers=workers, providers=providers, memory=limit, trusted=trusted)


def run_job(request: WorkerRequest) -> dict[str, Any]:
    """Generate the parts of a job's assets in a folder.

    Fields of the request: "job", "out" (the folder), and those of make_settings. Result: names of the assets in the
    job's order, and reasons of the failures.
    """
    from ganassets.inference.batch.engine import run_batch

    plan = make_plan(request)
    settings = make_settings(request, plan)
    request.progress(0, len(plan))
    summary = run_batch(plan, Path(request.fields["out"]), settings, request.progress, request.waiting)
    failed = {failure.name for failure in summary.failures}
    names = [job.path(unit) for job, unit in plan]
    return {
        "assets": [name for name in names if name not in failed],
        "failures": [failure.why for failure in summary.failures],
    }


def fill_library(request: WorkerRequest) -> dict[str, Any]:
    """Generate a job's assets and add them to an asset library.

    Fields of the request: "job", "library" (the folder), "pack", "author", "licence", and those of make_settings. The
    environment names the background Blender (see ganassets.api.blender).
    """
    from ganassets.api.writer import WriteError

    from .errors import LibraryError, VolumeError
    from .library import LibraryTerms, add_to_library

    fields, plan = request.fields, make_plan(request)
    settings = make_settings(request, plan)
    texts = (str(fields.get(name, "")) for name in ("author", "licence"))
    terms = LibraryTerms(bool(fields.get("pack", True)), *texts)
    request.progress(0, len(plan))
    library = Path(fields["library"])
    try:
        result = add_to_library(plan, library, terms, settings, request.progress, request.waiting)
    except (LibraryError, VolumeError, WriteError) as error:
        raise RequestError("library", error) from error
    except GanassetsError as error:
        # Errors of worker processes arrive as text; those about the disk name the library's folder.
        raise RequestError("library" if str(library) in str(error) else "making", error) from error
    return {
        "new": result.new,
        "there": result.there,
        "volumes": [str(path) for path in result.volumes],
        "failures": [failure.why for failure in result.failures],
    }


def send_thumbnails(request: WorkerRequest) -> dict[str, Any]:
    """Send thumbnails of a job's assets, one after the other.

    Fields of the request: "job", "folder" (a cache of thumbnails), "side" (pixels), and those of make_settings.
    """
    from ganassets.api.writer import write_atomic

    plan = make_plan(request)
    settings = make_settings(request, plan)
    folder, side = Path(request.fields["folder"]), int(request.fields["side"])
    paths = [
        folder / f"{hashlib.sha256(f'{job.key(unit)} {side}'.encode()).hexdigest()[:24]}.png" for job, unit in plan
    ]
    missing = [i for i, path in enumerate(paths) if not path.is_file()]
    render = render_here if settings.trusted else render_in_worker
    with contextlib.closing(render(plan, settings, missing, side)) as thumbnails:
        for i, (_, unit) in enumerate(plan):
            if i in missing:
                write_atomic(paths[i], next(thumbnails))
            request.answer(thumbnail={"seed": unit.seed, "file": str(paths[i])})
    prune_cache(folder)
    return {}


def render_here(plan: Plan, _: BatchSettings, indices: Sequence[int], side: int) -> Generator[bytes, None, None]:
    """Render thumbnails (PNG) of some units of a plan, with the model opened in this process."""
    renderer: ThumbnailRenderer | None = None
    for i in indices:
        job, unit = plan.unit(i)
        renderer = renderer or ThumbnailRenderer(job)
        with time_limit(THUMBNAIL_TIMEOUT):
            thumbnail = renderer.render(unit, side)
        yield thumbnail


def render_in_worker(
    plan: Plan, settings: BatchSettings, indices: Sequence[int], side: int
) -> Generator[bytes, None, None]:
    """Render thumbnails (PNG) of some units of a plan, in a process with the limits for models that are not trusted."""
    from ganassets.inference.batch.engine import error_of, patience_for, with_limits
    from ganassets.inference.batch.pool import Pool
    from ganassets.inference.batch.worker import Made, Task, WorkerSettings

    settings = with_limits(plan, settings)
    terms = WorkerSettings(None, settings.providers, settings.memory, patience_for(plan, settings))
    with Pool(plan, terms, 1) as pool:
        for answer in pool.results(Task((i,), frozenset(), frozenset({i})) for i in indices):
            if not isinstance(answer, Made):
                raise RequestError("model", error_of(answer.why, answer.exit_code))
            yield encode_thumbnail(answer.asset, side)


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """End this process if the block takes longer: nothing else stops a model that never ends."""
    clock = threading.Timer(seconds, os._exit, (1,))
    clock.start()
    try:
        yield
    finally:
        clock.cancel()


def prune_cache(folder: Path) -> None:
    """Remove the oldest thumbnails if there are more than MAX_THUMBNAILS."""
    with contextlib.suppress(OSError):  # another Blender may be using or removing them
        for path in sorted(folder.glob("*.png"), key=lambda path: path.stat().st_mtime)[:-MAX_THUMBNAILS]:
            path.unlink(missing_ok=True)


def encode_thumbnail(asset: Any, side: int) -> bytes:
    """Encode a thumbnail of an asset as PNG."""
    from .parts import encode_picture
    from .thumbnails import draw_thumbnail

    return encode_picture(draw_thumbnail(asset, side), {})


class ThumbnailRenderer:
    """Renders thumbnails with a job's model.

    Args:
        job: a job of a plan.
    """

    def __init__(self, job: ResolvedRequest) -> None:
        from ganassets.api.registry import load_generator
        from ganassets.inference.model import open_model

        self.job = job
        self.spec = load_generator(job.generator)
        self.model = with_subject("model", open_model, job.file.path)

    def render(self, unit: BatchUnit, side: int) -> bytes:
        """Render the thumbnail (PNG) of a unit's asset."""
        from ganassets.inference.pipeline import make_assets

        (asset,) = make_assets(self.model, self.spec, [self.job.recipe(unit)])
        return encode_thumbnail(asset, side)


HANDLERS: dict[str, Callable[[WorkerRequest], Any]] = {
    "models": list_models,
    "run": run_job,
    "library": fill_library,
    "thumbnails": send_thumbnails,
}


if __name__ == "__main__":
    main()
