# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""The state of the enabled add-on: its two worker processes, and the timer that updates both.

One process serves the panel, the other runs jobs, so that a long job does not block the panel.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import bpy

from . import asset_libraries, models, properties
from .job_queue import QueuedJob
from .job_runner import JobRunner
from .panel_worker import PanelWorker
from .preferences import library_path

PLACING_INTERVAL, BUSY_INTERVAL, IDLE_INTERVAL = 0.02, 0.1, 0.5  # seconds to the next call of the timer


class AddonSession:
    """Everything that exists while the add-on is enabled.

    Attributes:
        panel_worker: serves the panel.
        job_runner: runs jobs.
        looks_class: registered class of the shown model's sliders and settings.
        shown_model: path of the model whose sliders the panel shows, or "".
    """

    def __init__(self) -> None:
        self.panel_worker, self.job_runner = PanelWorker(), JobRunner()
        self.looks_class: type | None = None
        self.shown_model = ""
        self._started = False
        self._saved_values: list[dict[str, Any]] = []

    def save_panel(self) -> None:
        """Save the panel's values: opening another file resets the window manager's properties."""
        self._saved_values = [properties.get_values(group) for group in panel_groups()]

    def restore_panel(self) -> None:
        """Restore the panel's saved values."""
        for group, values in zip(panel_groups(), self._saved_values, strict=False):
            properties.set_values(group, values)

    def tick(self) -> float:
        """Update everything; returns seconds to the next call."""
        if not self._started:
            self._started = True
            if Path(library_path(), asset_libraries.INDEX_FOLDER).is_dir():
                asset_libraries.show_library(library_path())
        changed = self.panel_worker.update()
        model = chosen_model()
        if model and self.shown_model != model["path"]:
            register_looks(model)
            changed = True
        changed = self.job_runner.update() or changed
        if changed:
            redraw_panels()
        if self.job_runner.placement:
            return PLACING_INTERVAL
        queue = self.job_runner.queue
        busy = self.job_runner.job or queue.next_job() or queue.to_delete or self.panel_worker.pending
        return BUSY_INTERVAL if busy else IDLE_INTERVAL

    def close(self) -> None:
        """End the processes; open jobs are paused when Blender starts again."""
        self.job_runner.discard_placement()
        for worker in (self.panel_worker.worker, self.job_runner.worker):
            if worker:
                worker.kill()
        self.panel_worker.clear_thumbnails()
        self.job_runner.queue.close()


SESSION: AddonSession | None = None


def get_session() -> AddonSession:
    """The session of the enabled add-on."""
    assert SESSION
    return SESSION


def tick() -> float | None:
    """Update the session; Blender's timer calls this."""
    try:
        return SESSION.tick() if SESSION else None
    except Exception:  # an exception would stop the timer for good
        traceback.print_exc()
        return IDLE_INTERVAL


def register_looks(model: dict[str, Any]) -> None:
    """Show a model's sliders and settings in the panel."""
    unregister_looks()
    cls = properties.make_looks_class(model)
    bpy.utils.register_class(cls)
    bpy.types.WindowManager.ganassets_looks = bpy.props.PointerProperty(type=cls)
    get_session().looks_class, get_session().shown_model = cls, model["path"]


def unregister_looks() -> None:
    """Remove the sliders and settings from the panel."""
    if SESSION and SESSION.looks_class:
        # Without this, the next model's properties would start with these values.
        bpy.context.window_manager.property_unset("ganassets_looks")
        del bpy.types.WindowManager.ganassets_looks
        bpy.utils.unregister_class(SESSION.looks_class)
        SESSION.looks_class, SESSION.shown_model = None, ""


def panel_groups() -> list[Any]:
    """Property groups that the panel shows."""
    window_manager = bpy.context.window_manager
    looks = [window_manager.ganassets_looks] if get_session().looks_class else []
    return [window_manager.ganassets, *looks]


def chosen_model() -> dict[str, Any] | None:
    """The model that is chosen in the panel."""
    state = bpy.context.window_manager.ganassets
    return models.find(state.model) if models.FOUND else None


def job_table(model: dict[str, Any], max_size: int = 0) -> dict[str, Any]:
    """Job with the panel's values, without seeds.

    Args:
        model: the chosen model.
        max_size: largest side in pixels; 0 for no limit.
    """
    window_manager = bpy.context.window_manager
    state = window_manager.ganassets
    table = {"model": model["path"], "truncation": round(state.truncation, 4)}
    if get_session().shown_model == model["path"]:
        table |= properties.changed_looks(model, window_manager.ganassets_looks)
    if model["stride"]:
        table["size"] = state.size_text(max_size)
    if model["kind"] == "motion":
        table["options"] = properties.clip_options(state)
    return table


def redraw_panels() -> None:
    """Redraw the add-on's panels."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("VIEW_3D", "NODE_EDITOR", "PREFERENCES"):
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()


def add_job(
    table: dict[str, Any], model: dict[str, Any], target: str, library: str = "", objects: Iterable[str] = ()
) -> QueuedJob:
    """Add a job to the queue.

    Args:
        table: what to generate, as in a file of jobs.
        model: description of its model.
        target: LIBRARY, GRID or APPLY.
        library: folder of the asset library; "" for the one in the preferences.
        objects: names of the objects that receive the results.
    """
    seeds = table.get("seeds") or f"{table['count']} at random"
    title = f"{models.title(model)} {seeds}"
    return get_session().job_runner.queue.add(
        title=title[:60],
        table=table,
        kind=model["kind"],
        target=target,
        library=library or library_path(),
        objects=list(objects),
    )
