"""Kill, stop, cancel and pause processes and jobs."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import bpy  # pyright: ignore[reportMissingImports]
from install_extension import MODULE, enable

from .common import (
    TIMEOUT,
    add_job,
    addon_module,
    command_line_of,
    count_data,
    describe_volume,
    find_descendants,
    get_session,
    job_runner,
    list_files,
    load_models,
    still_running,
    tick_until,
    wait_until_gone,
    written_times,
)


def killed(folder: Path) -> dict[str, Any]:
    """Kill the worker process in the middle of a job."""
    job = add_job(folder)
    tick_until(lambda: job.done >= 3)
    before, worker = written_times(job), job_runner().worker
    processes, threads = find_descendants(worker.process.pid), threading.active_count()
    os.kill(worker.process.pid, signal.SIGKILL)
    noticed = tick_until(lambda: job_runner().worker is not worker)
    tick_until(lambda: not job.is_open)
    return {
        "noticed": noticed,
        "ended": [job.state, job.error],
        "made": len(job.result["assets"]),
        "kept": written_times(job) == before,
        "threads": threads,
        "placed": len(bpy.context.scene.collection.children[job.title].objects),
        "left": wait_until_gone(processes),
    }


def killed_while_writing(folder: Path) -> dict[str, Any]:
    """Kill the worker process while its background Blender writes a volume."""
    job = add_job(folder, "LIBRARY")
    tick_until(lambda: job.note == "Writing the library.")
    worker = job_runner().worker
    processes = find_descendants(worker.process.pid)
    os.kill(worker.process.pid, signal.SIGKILL)
    tick_until(lambda: not job.is_open)
    left = wait_until_gone(processes)
    result = job.result
    job = add_job(folder, "LIBRARY")  # finds all there
    tick_until(lambda: not job.is_open)
    return {
        "ended": [job.state, job.error],
        "result": result,
        "left": left,
        "files": list_files(folder),
        "offered": sum(len(describe_volume(path)) for path in folder.rglob("*.blend")),
    }


def hung(folder: Path) -> dict[str, Any]:
    """Stop the worker process (SIGSTOP) in the middle of a job."""
    job = add_job(folder, seeds="21-36")
    tick_until(lambda: job.done >= 3)
    before, worker = written_times(job), job_runner().worker
    processes = find_descendants(worker.process.pid)
    os.kill(worker.process.pid, signal.SIGSTOP)
    noticed = tick_until(lambda: job_runner().worker is not worker)
    tick_until(lambda: not job.is_open)
    return {
        "noticed": noticed,
        "ended": [job.state, job.error],
        "made": len(job.result["assets"]),
        "kept": written_times(job) == before,
        "left": wait_until_gone(processes),
    }


def dying(folder: Path) -> dict[str, Any]:
    """Kill every worker process until the job fails; then resume it."""
    job = add_job(folder, seeds="1-2")

    def kill() -> bool:
        worker = job_runner().worker
        if worker and worker.process:
            worker.process.kill()
        return not job.is_open

    tick_until(kill)
    found = [job.state, job.error, job.about]
    bpy.ops.ganassets.resume(job=job.name)
    tick_until(lambda: not job.is_open)
    return {"ended": found, "again": [job.state, job.error, len(job.result["assets"])]}


def cancelled(folder: Path) -> dict[str, Any]:
    """Cancel a job while assets are generated."""
    job, before = add_job(folder, seeds="1-60", size="256"), count_data()
    tick_until(lambda: job.done >= 2)
    processes = find_descendants(os.getpid())
    bpy.ops.ganassets.cancel(job=job.name)
    took = tick_until(lambda: not job.is_open)
    bpy.ops.ganassets.release()
    return {
        "took": took,
        "state": job.state,
        "note": job.note,
        "nothing": count_data() == before,
        "left": wait_until_gone(processes),
    }


def cancelled_while_writing(folder: Path) -> dict[str, Any]:
    """Cancel a job while the background Blender writes a volume."""
    job = add_job(folder, "LIBRARY")
    tick_until(lambda: job.note == "Writing the library." and len(find_descendants(job_runner().worker.process.pid)))
    processes = find_descendants(job_runner().worker.process.pid)
    for writer in (pid for pid in processes if "volume_writer" in command_line_of(pid)):
        os.kill(writer, signal.SIGSTOP)  # on a fast machine it would be done before the job is cancelled
    bpy.ops.ganassets.cancel(job=job.name)
    took = tick_until(lambda: not job.is_open)
    left = wait_until_gone(processes)
    # A fast machine may have written the volume before; then the index lists it.
    names = [name for name in list_files(folder) if name.endswith((".blend", ".tmp"))]
    listed = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("index.jsonl"))
    nothing = all(Path(name).name in listed for name in names)
    return {"took": took, "state": job.state, "note": job.note, "left": left, "nothing": nothing}


def cancelled_in_an_asset(folder: Path) -> dict[str, Any]:
    """Cancel a job during an asset that takes long."""
    job, before = add_job(folder, seeds="1-2", size="4096"), count_data()
    tick_until(lambda: job_runner().worker and job_runner().worker.ready and job.total)
    tick_until(lambda: job_runner().worker.idle_seconds() > 0.5)
    processes = find_descendants(os.getpid())
    bpy.ops.ganassets.cancel(job=job.name)
    took = tick_until(lambda: not job.is_open)
    bpy.ops.ganassets.release()
    left = wait_until_gone(processes)
    return {"took": took, "state": job.state, "note": job.note, "left": left, "nothing": count_data() == before}


def paused(folder: Path) -> dict[str, Any]:
    """Pause a job and resume it."""
    job = add_job(folder)
    tick_until(lambda: job.done >= 3)
    bpy.ops.ganassets.pause(job=job.name)
    tick_until(lambda: job.state == "paused")
    before = written_times(job)
    for _ in range(10):
        addon_module("session").tick()
    still = job.state
    bpy.ops.ganassets.resume(job=job.name)
    tick_until(lambda: not job.is_open)
    return {
        "still": still,
        "ended": [job.state, job.error],
        "made": len(job.result["assets"]),
        "kept": written_times(job) == before,
    }


def paused_too_late(folder: Path) -> dict[str, Any]:
    """Pause a job whose assets are finished, before the add-on knows it; then resume it."""
    job = add_job(folder, seeds="1-3")
    tick_until(lambda: job.done >= 1)
    begun, before = job_runner(), count_data()
    time.sleep(3.0)  # it ends meanwhile
    bpy.ops.ganassets.pause(job=job.name)
    tick_until(lambda: not begun.job)
    still, nothing = job.state, count_data() == before
    bpy.ops.ganassets.resume(job=job.name)
    tick_until(lambda: not job.is_open)
    return {"still": still, "nothing": nothing, "ended": [job.state, job.error]}


def preview_lost(folder: Path) -> dict[str, Any]:
    """Kill the panel's worker process while it renders thumbnails; then try again."""
    load_models()
    panel_worker, found = get_session().panel_worker, []
    for act in (bpy.ops.ganassets.preview, bpy.ops.ganassets.look_again):
        bpy.context.window_manager.ganassets.first = 500 + len(found)
        act()
        panel_worker.worker.process.kill()
        tick_until(lambda: not panel_worker.worker)
        found.append([panel_worker.error, panel_worker.retry_action is not None])
    bpy.ops.ganassets.look_again()
    found.append([panel_worker.error, panel_worker.retry_action is not None])
    tick_until(lambda: not panel_worker.pending)
    return {"said": found, "shown": sorted(panel_worker.thumbnails)}


def idle(folder: Path) -> dict[str, Any]:
    """Leave both worker processes idle until the add-on ends them."""
    bpy.ops.ganassets.look_again()
    add_job(folder, seeds="1-1")
    tick_until(lambda: not job_runner().job and not get_session().panel_worker.pending)
    current, seconds = get_session(), addon_module("preferences").preferences().idle
    processes = find_descendants(os.getpid())
    for worker in (current.panel_worker.worker, current.job_runner.worker):
        worker.used -= seconds - 0.3
    early = bool(current.panel_worker.worker and current.job_runner.worker)
    tick_until(lambda: not current.panel_worker.worker and not current.job_runner.worker)
    return {"early": early, "left": wait_until_gone(processes)}


def disabled(folder: Path) -> dict[str, Any]:
    """Disable the add-on in the middle of a job, as when Blender ends, and enable it again."""
    job = add_job(folder, "LIBRARY")
    tick_until(lambda: job.done >= 3)
    processes = find_descendants(os.getpid())
    began = time.monotonic()
    bpy.ops.preferences.addon_disable(module=MODULE)
    while still_running(processes) and time.monotonic() - began < TIMEOUT:
        time.sleep(0.02)
    left = bool(still_running(processes))
    enable()
    job = job_runner().queue.find(job.name)
    for _ in range(5):
        addon_module("session").tick()
    found = [job.state, job.note]
    bpy.ops.ganassets.resume(job=job.name)
    tick_until(lambda: not job.is_open)
    return {"left": not left, "found": found, "ended": [job.state, job.error], "result": job.result}
