# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false, reportInvalidTypeForm=false
"""The panels in the sidebar of the 3D view and the shader editor, and the Add menu."""

import random
import textwrap
from typing import Any

import bpy

from . import job_queue, models, properties, session
from .job_queue import QueuedJob
from .operators import format_result
from .panel_worker import THUMBNAIL_COUNT
from .preferences import library_path

COLUMNS = 3
BUTTON_HEIGHT = 20  # pixels; the unit of icon sizes
MARGIN = 45  # pixels of the sidebar's width that thumbnails can't use
BAR_LENGTH = 36  # characters
LETTER_WIDTH = 7.2  # pixels
ICONS = {
    job_queue.DONE: "CHECKMARK",
    job_queue.FAILED: "ERROR",
    job_queue.CANCELLED: "X",
    job_queue.PAUSED: "PAUSE",
}
# Button that fixes an error, by the error's subject: operator, text, icon.
REMEDIES = {
    "library": ("ganassets.choose_library", "Choose Another Folder", "FILE_FOLDER"),
    "model": ("ganassets.use_model", "Use the Chosen Model", "FILE_REFRESH"),
    "looks": ("ganassets.smaller", "Generate at 512 px", "MOD_DECIM"),
}
RETRY = ("ganassets.resume", "Try Again", "FILE_REFRESH")


def draw_text(layout: Any, context: Any, text: str, icon: str = "NONE") -> None:
    """Draw text, wrapped to the width of the region."""
    scale = context.preferences.system.ui_scale
    letters = max(20, int(context.region.width / (LETTER_WIDTH * scale)) - (6 if icon != "NONE" else 3))
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(textwrap.wrap(text[:1].upper() + text[1:], letters)):
        column.label(text=line, icon=icon if not number else ("BLANK1" if icon != "NONE" else "NONE"))


class PanelContent:
    """Content of a panel that is shown in more than one editor."""

    layout: Any


class GenerateContent(PanelContent):
    """Choose the model, the number of assets and the target."""

    bl_label = "Generate"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        session.get_session().panel_worker.panel_shown = True
        layout = self.layout
        layout.use_property_split, layout.use_property_decorate = True, False
        state = context.window_manager.ganassets
        row = layout.row(align=True)
        row.use_property_split = False
        row.prop(state, "model", text="")
        row.operator("ganassets.add_model", text="", icon="FILEBROWSER")
        draw_error(layout, context)
        model = session.chosen_model()
        if not model:
            return
        draw_options(layout.column(), state, model)
        row = layout.row()
        row.use_property_split = False
        row.prop(state, "target", text="")
        if state.target == job_queue.LIBRARY:
            row = layout.row()
            draw_text(row, context, library_path(), "BLANK1")
            row.operator("wm.path_open", text="", icon="FILE_FOLDER").filepath = library_path()
        button = layout.row()
        button.scale_y = 1.6
        button.operator("ganassets.generate", icon="ADD").from_panel = True


def draw_error(layout: Any, context: bpy.types.Context) -> None:
    """Draw the panel worker's error, if there is one, with buttons to try again and to dismiss it."""
    panel_worker = session.get_session().panel_worker
    if not panel_worker.error:
        return
    box = layout.box()
    draw_text(box, context, panel_worker.error, "ERROR")
    row = box.row()
    if panel_worker.retry_action:
        row.operator("ganassets.look_again", text="Try Again", icon="FILE_REFRESH")
    row.operator("ganassets.dismiss", icon="X")


def draw_options(column: Any, state: Any, model: models.Model) -> None:
    """Draw seeds, variety, and the options of the model's kind of asset."""
    column.prop(state, "seed_mode")
    name = {properties.RANGE: "seeds", properties.RANDOM: "count", properties.PICKED: "picked"}[state.seed_mode]
    column.prop(state, name, text="Count" if name == "count" else " ")
    column.prop(state, "truncation")
    if model["stride"]:
        column.prop(state, "size")
        if state.size == properties.CUSTOM:
            column.prop(state, "width")
            column.prop(state, "height")
    if model["kind"] == "motion":
        if state.target != job_queue.APPLY:
            column.prop(state, "rig")
        column.prop(state, "in_place")


class SlidersContent(PanelContent):
    """Set the sliders and settings of the model."""

    bl_label, bl_options = "Sliders", {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        layout, model = self.layout, session.chosen_model()
        looks = getattr(context.window_manager, "ganassets_looks", None)
        if not model or session.get_session().shown_model != model["path"]:
            return
        for i, condition in enumerate(model["conditions"]):
            row = layout.row(align=True)
            if condition["choices"] or condition["switch"]:
                row.use_property_split, row.use_property_decorate = True, False
                row.prop(looks, f"slider_{i}")
                continue
            row.prop(looks, f"use_{i}", text="")
            slider = row.row(align=True)
            slider.active = getattr(looks, f"use_{i}")
            slider.prop(looks, f"slider_{i}", slider=True)
        if model["settings"]:
            layout.separator()
        for i in range(len(model["settings"])):
            layout.prop(looks, f"setting_{i}")


class PreviewContent(PanelContent):
    """Preview seeds as thumbnails and pick some of them."""

    bl_label = "Preview"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        layout, panel_worker = self.layout, session.get_session().panel_worker
        state = context.window_manager.ganassets
        row = layout.row(align=True)
        row.operator("ganassets.preview", text="", icon="TRIA_LEFT").step = -1
        row.operator("ganassets.preview", text=f"Preview {state.first} - {state.first + THUMBNAIL_COUNT - 1}")
        row.operator("ganassets.preview", text="", icon="TRIA_RIGHT").step = 1
        if not panel_worker.thumbnails:
            if panel_worker.is_rendering:
                layout.label(text="Rendering...", icon="TIME")
            return
        picked = set(state.picked.split(","))
        scale = context.preferences.system.ui_scale
        side = max(2.0, (context.region.width / scale - MARGIN) / COLUMNS / BUTTON_HEIGHT)
        grid = layout.grid_flow(row_major=True, columns=COLUMNS, even_columns=True, even_rows=True, align=True)
        for seed, icon in sorted(panel_worker.thumbnails.items()):
            cell = grid.column(align=True)
            cell.template_icon(icon_value=icon, scale=side)
            cell.operator("ganassets.pick", text=str(seed), depress=str(seed) in picked).seed = seed


class QueueContent(PanelContent):
    """List the jobs."""

    bl_label = "Queue"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        layout, current = self.layout, session.get_session()
        jobs = current.job_runner.queue.jobs
        for job in reversed(jobs):
            draw_job(layout.box(), context, job)
        if not jobs:
            layout.label(text="No jobs yet.")
        if current.job_runner.worker or current.panel_worker.worker:
            layout.operator("ganassets.release", icon="X")


def draw_job(layout: Any, context: Any, job: QueuedJob) -> None:
    """Draw one job: its buttons, progress, result or error."""
    row = layout.row(align=True)
    row.label(text=job.title, icon=ICONS.get(job.state, models.ICONS.get(job.kind, "NONE")))
    if job.state in (job_queue.RUNNING, job_queue.WAITING):
        row.operator("ganassets.pause", text="", icon="PAUSE").job = job.name
    if job.state in (job_queue.PAUSED, job_queue.FAILED, job_queue.CANCELLED):
        row.operator("ganassets.resume", text="", icon="PLAY").job = job.name
    if job.state == job_queue.DONE and job.target == job_queue.LIBRARY:
        row.operator("ganassets.browse", text="", icon="ASSET_MANAGER").job = job.name
    can_cancel = job.state in (job_queue.RUNNING, job_queue.PLACING, job_queue.WAITING)
    row.operator("ganassets.cancel" if can_cancel else "ganassets.remove", text="", icon="X").job = job.name
    if job.is_open and job.total:
        draw_progress(layout, job)
    if job.state == job_queue.DONE:
        draw_text(layout, context, format_result(job))
    if job.note and job.state != job_queue.FAILED:
        draw_text(layout, context, job.note)
    if job.state == job_queue.FAILED:
        draw_text(layout, context, job.error, "ERROR")
        if job.about != "looks" or "size" in job.table:
            operator, text, icon = REMEDIES.get(job.about, RETRY)
            layout.operator(operator, text=text, icon=icon).job = job.name


def draw_progress(layout: Any, job: QueuedJob) -> None:
    """Draw a job's progress and the time left, as a bar of letters in Blenders without progress bars."""
    left = job.seconds_left
    text = f"{job.done} of {job.total}" + (f", {job_queue.format_duration(left)} left" if left is not None else "")
    if hasattr(layout, "progress"):  # since Blender 4.0
        layout.progress(factor=job.fraction, text=text)
    else:
        column = layout.column(align=True)
        column.scale_y = 0.8
        column.label(text=text)
        full = round(BAR_LENGTH * job.fraction)
        column.label(text="|" * full + "." * (BAR_LENGTH - full))


def make_panel(content: type, name: str, space: str, prefix: str, parent: str = "") -> type:
    """Make the panel class of a content for one editor: Blender needs a class for each.

    Args:
        content: draws the panel.
        name: last part of the panel's bl_idname.
        space: type of the editor.
        prefix: first part of the panel's bl_idname.
        parent: name of the panel that it is drawn in; "" for none.
    """
    identifier = f"{prefix}_{name}"
    more = {"bl_parent_id": f"{prefix}_{parent}"} if parent else {}

    def poll(cls: type, context: bpy.types.Context) -> bool:
        shows = space != "NODE_EDITOR" or context.space_data.tree_type == "ShaderNodeTree"
        return shows and (parent == "" or session.chosen_model() is not None)

    fields = {"bl_space_type": space, "bl_region_type": "UI", "bl_category": "GAN Assets", "bl_idname": identifier}
    return type(identifier, (content, bpy.types.Panel), {**fields, **more, "poll": classmethod(poll)})


class GANASSETS_MT_add(bpy.types.Menu):
    """Add generated assets"""

    bl_label = "GAN Assets"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the menu."""
        self.layout.operator_context = "INVOKE_DEFAULT"
        self.layout.operator("wm.call_panel", text="Generate...", icon="ADD").name = "GANASSETS_PT_generate"
        for model in models.FOUND:
            if model["boxed"]:
                item = self.layout.operator(
                    "ganassets.generate", text=f"One of {models.title(model)}", icon=models.ICONS[model["kind"]]
                )
                item.model, item.target = model["path"], job_queue.GRID
                item.seeds = str(random.randrange(properties.MAX_SEED))


def draw_in_add(self: Any, context: Any) -> None:
    """Draw the entry in the Add menu."""
    session.get_session().panel_worker.panel_shown = True
    self.layout.menu("GANASSETS_MT_add", icon="ASSET_MANAGER")


# Content of each panel, its name, and the name of the panel that it is drawn in.
CONTENTS = (
    (GenerateContent, "generate", ""),
    (SlidersContent, "sliders", "generate"),
    (PreviewContent, "preview", "generate"),
    (QueueContent, "queue", ""),
)
SPACES = (("VIEW_3D", "GANASSETS_PT"), ("NODE_EDITOR", "GANASSETS_PT_shader"))
PANELS = tuple(
    make_panel(content, name, space, prefix, parent) for space, prefix in SPACES for content, name, parent in CONTENTS
)
CLASSES = (*PANELS, GANASSETS_MT_add)
