# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""All that goes on while Blender runs: the desk, the works, and the timer that tends both.

One process answers the panel, the other carries out jobs, so that a long job doesn't keep the panel waiting.
"""

from __future__ import annotations

import os
import time
import traceback
from typing import Any

import bpy

from . import libraries, models, properties
from .desk import Desk
from .jobs import Job
from .preferences import library_path
from .works import Works

ACTIVE, BUSY, IDLE = 0.02, 0.1, 0.5  # seconds to the next tick


class Studio:
    """Both processes and what they need; there is one while the add-on is enabled."""

    def __init__(self) -> None:
        self.desk, self.works = Desk(), Works()
        self.looks: type | None = None
        self.shown = ""  # path of the model whose sliders these are
        self.begun = False
        self.kept: list[dict[str, Any]] = []

    def keep(self) -> None:
        """Remember what the panel shows: another file takes the window manager's properties away."""
        self.kept = [properties.values_of(group) for group in panel_groups()]

    def put_back(self) -> None:
        """Let the panel show what it did."""
        for group, values in zip(panel_groups(), self.kept, strict=False):
            properties.set_values(group, values)

    def tick(self) -> float:
        """What the timer calls; returns seconds to its next call."""
        began = time.perf_counter()
        if not self.begun:
            self.begun = True
            if os.path.isdir(os.path.join(library_path(), libraries.SHELF)):
                libraries.show(library_path())
        changed = self.desk.tend()
        model = chosen_model()
        if model and self.shown != model["path"]:
            show_looks(model)
            changed = True
        changed = self.works.tend() or changed
        if changed:
            redraw()
        self.works.longest = max(self.works.longest, time.perf_counter() - began)
        if self.works.landing:
            return ACTIVE
        queue = self.works.queue
        return BUSY if self.works.job or queue.next() or queue.removed or self.desk.calls else IDLE

    def close(self) -> None:
        """End the processes; an open job is paused when Blender starts again."""
        self.works.drop()
        for child in (self.desk.child, self.works.child):
            if child:
                child.kill()
        self.desk.forget_pictures()
        self.works.queue.close()


STUDIO: Studio | None = None


def studio() -> Studio:
    """The one that there is."""
    assert STUDIO
    return STUDIO


def tick() -> float | None:
    """The timer."""
    try:
        return STUDIO.tick() if STUDIO else None
    except Exception:  # else Blender would never call it again
        traceback.print_exc()
        return IDLE


def show_looks(model: dict[str, Any]) -> None:
    """Make the sliders of a model those that the panel shows."""
    hide_looks()
    made = properties.looks_class(model)
    bpy.utils.register_class(made)
    bpy.types.WindowManager.ganassets_looks = bpy.props.PointerProperty(type=made)
    studio().looks, studio().shown = made, model["path"]


def hide_looks() -> None:
    """Remove the sliders."""
    if STUDIO and STUDIO.looks:
        bpy.context.window_manager.property_unset("ganassets_looks")  # or the next model's would have these values
        del bpy.types.WindowManager.ganassets_looks
        bpy.utils.unregister_class(STUDIO.looks)
        STUDIO.looks, STUDIO.shown = None, ""


def panel_groups() -> list[Any]:
    """All properties that the panel shows."""
    window_manager = bpy.context.window_manager
    return [window_manager.ganassets, *([window_manager.ganassets_looks] if studio().looks else [])]


def chosen_model() -> dict[str, Any] | None:
    """The model that the panel has chosen."""
    state = bpy.context.window_manager.ganassets
    return models.find(state.model) if models.FOUND else None


def table_of(model: dict[str, Any], most: int = 0) -> dict[str, Any]:
    """What the panel says of a job, but for its seeds.

    Args:
        model: that is chosen.
        most: pixels that a side may have at most; 0 for any.
    """
    window_manager = bpy.context.window_manager
    state = window_manager.ganassets
    table = {"model": model["path"], "truncation": round(state.truncation, 4)}
    if studio().shown == model["path"]:
        table |= properties.looks_of(model, window_manager.ganassets_looks)
    if model["stride"]:
        table["size"] = state.size_text(most)
    if model["kind"] == "motion":
        table["options"] = properties.clip_options(state)
    return table


def redraw() -> None:
    """Draw the panels again."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("VIEW_3D", "NODE_EDITOR", "PREFERENCES"):
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()


def add_job(table: dict[str, Any], model: dict[str, Any], target: str, library: str = "", objects: Any = ()) -> Job:
    """Put a job into the queue."""
    seeds = table.get("seeds") or f"{table['count']} at random"
    title = f"{models.title(model)} {seeds}"
    return studio().works.queue.add(
        title=title[:60],
        table=table,
        kind=model["kind"],
        target=target,
        library=library or library_path(),
        objects=list(objects),
    )
