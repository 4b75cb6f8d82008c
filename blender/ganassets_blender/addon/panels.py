# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false, reportInvalidTypeForm=false
"""The panels: in the sidebar of the 3D view and of the shader editor, and under Add."""

import random
import textwrap
from typing import Any

import bpy

from . import jobs, models, properties, studio
from .desk import THUMBNAILS
from .operators import summary
from .preferences import library_path

COLUMNS = 3
BUTTON = 20  # pixels of a button's height, which icons are measured by
MARGIN = 45  # pixels of the sidebar beside the thumbnails
BAR = 36  # letters
LETTER = 7.2  # pixels of a letter
ICONS = {jobs.DONE: "CHECKMARK", jobs.FAILED: "ERROR", jobs.CANCELLED: "X", jobs.PAUSED: "PAUSE"}
# What can be done about an error, by what it is about: operator, text, icon.
REMEDIES = {
    "library": ("ganassets.choose_library", "Choose Another Folder", "FILE_FOLDER"),
    "model": ("ganassets.use_model", "Use the Chosen Model", "FILE_REFRESH"),
    "looks": ("ganassets.smaller", "Make at 512 px", "MOD_DECIM"),
}
AGAIN = ("ganassets.resume", "Try Again", "FILE_REFRESH")


def wrapped(layout: Any, context: Any, text: str, icon: str = "NONE") -> None:
    """Text over as many lines as the region is narrow."""
    scale = context.preferences.system.ui_scale
    letters = max(20, int(context.region.width / (LETTER * scale)) - (6 if icon != "NONE" else 3))
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(textwrap.wrap(text[:1].upper() + text[1:], letters)):
        column.label(text=line, icon=icon if not number else ("BLANK1" if icon != "NONE" else "NONE"))


class Part:
    """Part of a panel, drawn in more than one editor."""

    layout: Any


class Generate(Part):
    """Which model, how many, into what"""

    bl_label = "Generate"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        desk = studio.studio().desk
        desk.wanted = True
        layout = self.layout
        layout.use_property_split, layout.use_property_decorate = True, False
        state = context.window_manager.ganassets
        row = layout.row(align=True)
        row.use_property_split = False
        row.prop(state, "model", text="")
        row.operator("ganassets.add_model", text="", icon="FILEBROWSER")
        model = studio.chosen_model()
        if desk.error:
            box = layout.box()
            wrapped(box, context, desk.error, "ERROR")
            row = box.row()
            if desk.again:
                row.operator("ganassets.look_again", text="Try Again", icon="FILE_REFRESH")
            row.operator("ganassets.dismiss", icon="X")
        if not model:
            return
        column = layout.column()
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
            if state.target != jobs.APPLY:
                column.prop(state, "rig")
            column.prop(state, "in_place")
        into = layout.row()
        into.use_property_split = False
        into.prop(state, "target", text="")
        if state.target == jobs.LIBRARY:
            row = layout.row()
            wrapped(row, context, library_path(), "BLANK1")
            row.operator("wm.path_open", text="", icon="FILE_FOLDER").filepath = library_path()
        button = layout.row()
        button.scale_y = 1.6
        button.operator("ganassets.generate", icon="ADD").from_panel = True


class Sliders(Part):
    """Sliders and settings of the model"""

    bl_label, bl_options = "Sliders", {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        layout, model = self.layout, studio.chosen_model()
        looks = getattr(context.window_manager, "ganassets_looks", None)
        if not model or studio.studio().shown != model["path"]:
            return
        for i, condition in enumerate(model["conditions"]):
            row = layout.row(align=True)
            if condition["choices"] or condition["switch"]:
                row.use_property_split, row.use_property_decorate = True, False
                row.prop(looks, f"slider_{i}")
                continue
            row.prop(looks, f"use_{i}", text="")
            part = row.row(align=True)
            part.active = getattr(looks, f"use_{i}")
            part.prop(looks, f"slider_{i}", slider=True)
        if model["settings"]:
            layout.separator()
        for i in range(len(model["settings"])):
            layout.prop(looks, f"setting_{i}")


class Preview(Part):
    """Thumbnails of seeds"""

    bl_label = "Preview"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        layout, desk = self.layout, studio.studio().desk
        state = context.window_manager.ganassets
        row = layout.row(align=True)
        row.operator("ganassets.preview", text="", icon="TRIA_LEFT").step = -1
        row.operator("ganassets.preview", text=f"Preview {state.first} - {state.first + THUMBNAILS - 1}")
        row.operator("ganassets.preview", text="", icon="TRIA_RIGHT").step = 1
        if not desk.thumbnails:
            if desk.calls and desk.told:
                layout.label(text="Making them...", icon="TIME")
            return
        picked = set(state.picked.split(","))
        scale = context.preferences.system.ui_scale
        side = max(2.0, (context.region.width / scale - MARGIN) / COLUMNS / BUTTON)
        grid = layout.grid_flow(row_major=True, columns=COLUMNS, even_columns=True, even_rows=True, align=True)
        for seed, icon in sorted(desk.thumbnails.items()):
            cell = grid.column(align=True)
            cell.template_icon(icon_value=icon, scale=side)
            cell.operator("ganassets.pick", text=str(seed), depress=str(seed) in picked).seed = seed


class Queue(Part):
    """Jobs"""

    bl_label = "Queue"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        layout, works = self.layout, studio.studio().works
        for job in reversed(works.queue.jobs):
            draw_job(layout.box(), context, job)
        if not works.queue.jobs:
            layout.label(text="No jobs yet.")
        if works.child or studio.studio().desk.child:
            layout.operator("ganassets.release", icon="X")


def draw_job(layout: Any, context: Any, job: jobs.Job) -> None:
    """One job: how far it is, and what can be done with it."""
    row = layout.row(align=True)
    row.label(text=job.title, icon=ICONS.get(job.state, models.ICONS.get(job.kind, "NONE")))
    if job.state in (jobs.RUNNING, jobs.WAITING):
        row.operator("ganassets.pause", text="", icon="PAUSE").job = job.name
    if job.state in (jobs.PAUSED, jobs.FAILED, jobs.CANCELLED):
        row.operator("ganassets.resume", text="", icon="PLAY").job = job.name
    if job.state == jobs.DONE and job.target == jobs.LIBRARY:
        row.operator("ganassets.browse", text="", icon="ASSET_MANAGER").job = job.name
    end = "ganassets.cancel" if job.state in (jobs.RUNNING, jobs.LANDING, jobs.WAITING) else "ganassets.remove"
    row.operator(end, text="", icon="X").job = job.name
    if job.is_open and job.total:
        draw_progress(layout, job)
    if job.state == jobs.DONE:
        wrapped(layout, context, summary(job))
    if job.note and job.state != jobs.FAILED:
        wrapped(layout, context, job.note)
    if job.state == jobs.FAILED:
        wrapped(layout, context, job.error, "ERROR")
        if job.about != "looks" or "size" in job.table:
            operator, text, icon = REMEDIES.get(job.about, AGAIN)
            layout.operator(operator, text=text, icon=icon).job = job.name


def draw_progress(layout: Any, job: jobs.Job) -> None:
    """A bar, where this Blender has one, with the time that is left."""
    left = job.seconds_left
    text = f"{job.done} of {job.total}" + (f", {jobs.duration(left)} left" if left is not None else "")
    if hasattr(layout, "progress"):  # since 4.0
        layout.progress(factor=job.share, text=text)
    else:
        column = layout.column(align=True)
        column.scale_y = 0.8
        column.label(text=text)
        full = round(BAR * job.share)
        column.label(text="|" * full + "." * (BAR - full))


def panel_of(part: type, space: str, prefix: str, parent: str = "") -> type:
    """A panel's class for one space: Blender wants one of its own for each."""
    name = f"{prefix}_{part.__name__.lower()}"
    more = {"bl_parent_id": f"{prefix}_{parent}"} if parent else {}

    def poll(cls: type, context: bpy.types.Context) -> bool:
        shows = space != "NODE_EDITOR" or context.space_data.tree_type == "ShaderNodeTree"
        return shows and (parent == "" or studio.chosen_model() is not None)

    place = {"bl_space_type": space, "bl_region_type": "UI", "bl_category": "GAN Assets", "bl_idname": name}
    return type(name, (part, bpy.types.Panel), {**place, **more, "poll": classmethod(poll)})


class GANASSETS_MT_add(bpy.types.Menu):
    """GAN Assets under Add"""

    bl_label = "GAN Assets"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the menu."""
        self.layout.operator_context = "INVOKE_DEFAULT"
        self.layout.operator("wm.call_panel", text="Generate...", icon="ADD").name = "GANASSETS_PT_generate"
        for model in models.FOUND:
            if model["boxed"]:
                one = self.layout.operator(
                    "ganassets.generate", text=f"One of {models.title(model)}", icon=models.ICONS[model["kind"]]
                )
                one.model, one.target = model["path"], jobs.GRID
                one.seeds = str(random.randrange(properties.MOST_SEED))


def draw_in_add(self: Any, context: Any) -> None:
    """The entry in the Add menu."""
    studio.studio().desk.wanted = True
    self.layout.menu("GANASSETS_MT_add", icon="ASSET_MANAGER")


# Each part, and the one that it is drawn below.
PARTS = ((Generate, ""), (Sliders, "generate"), (Preview, "generate"), (Queue, ""))
SPACES = (("VIEW_3D", "GANASSETS_PT"), ("NODE_EDITOR", "GANASSETS_PT_shader"))
PANELS = tuple(panel_of(part, space, prefix, parent) for space, prefix in SPACES for part, parent in PARTS)
CLASSES = (*PANELS, GANASSETS_MT_add)
