# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false, reportInvalidTypeForm=false
"""Operators behind the panel's buttons, which scripts can call too. Blender shows their docstrings as tooltips."""

import functools
import json
import time
from pathlib import Path
from typing import Any

import bpy

from . import armatures, asset_libraries, job_queue, models, paths, properties, session
from .job_queue import QueuedJob
from .job_runner import JobRunner
from .panel_worker import MAX_MATERIAL_SIZE, THUMBNAIL_COUNT
from .preferences import absolute, library_path, preferences

FALLBACK_SIZE = "512"  # pixels, for jobs whose size can't be generated
LOG_LINES = 12
MAX_LOG_LINE = 160  # characters
LOG_TAIL_BYTES = 8192
# Height of a new Asset Browser, relative to the 3D view.
BROWSER_SHARE = 0.45
MODELS_TIMEOUT = 120.0  # seconds that a script waits for the list of models
POLL_INTERVAL = 0.02  # seconds


class GANASSETS_OT_generate(bpy.types.Operator):
    """Generate assets in the background while Blender stays usable. Without a window, wait until they are finished"""

    bl_idname = "ganassets.generate"
    bl_label = "Generate"
    bl_options = {"REGISTER"}

    from_panel: bpy.props.BoolProperty(options={"HIDDEN", "SKIP_SAVE"})
    model: bpy.props.StringProperty(
        name="Model",
        description="Name of a built-in model (textures, faces, poses), or path of an .onnx file",
        default="textures",
    )
    seeds: bpy.props.StringProperty(name="Seeds", description="Seeds such as 1-200 or 3,7,20-30", default="1-50")
    sliders: bpy.props.StringProperty(name="Sliders", description='JSON object, such as {"material": "brick"}')
    settings: bpy.props.StringProperty(
        name="Settings", description='JSON object, such as {"seconds": 2.0, "loop": true}'
    )
    truncation: bpy.props.FloatProperty(name="Variety", default=0.85, min=0.0, max=1.0)
    size: bpy.props.StringProperty(name="Size", description="Size of a texture in pixels, such as 512 or 1024x512")
    rig: bpy.props.EnumProperty(name="Bones", items=properties.RIGS)
    in_place: bpy.props.BoolProperty(name="In place")
    target: bpy.props.EnumProperty(name="Into", items=properties.TARGETS)
    library: bpy.props.StringProperty(
        name="Library folder", description="Empty: the library folder in the preferences", subtype="DIR_PATH"
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add a job to the queue."""
        try:
            model = self.find_model()
            table = self.table_from_panel(model) if self.from_panel else self.table_from_operator(model)
            target = context.window_manager.ganassets.target if self.from_panel else self.target
            objects = find_objects(context, model, target, table)
        except ValueError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        folder = absolute(self.library) if self.library and not self.from_panel else ""
        job = session.add_job(table, model, target, folder, objects)
        if bpy.app.background:
            return self.run_now(job)
        self.report({"INFO"}, f"Added to the queue: {job.title}")
        return {"FINISHED"}

    def find_model(self) -> models.Model:
        """The requested model; ValueError with a message if there is none."""
        if self.from_panel:
            model = session.chosen_model()
            if not model:
                raise ValueError("Choose a model first.")
            return model
        panel_worker, is_file = session.get_session().panel_worker, self.model.endswith(".onnx")
        name = absolute(self.model) if is_file else self.model
        if not models.find(name):
            if is_file:
                panel_worker.add_model(name)
            else:
                panel_worker.request_models()
            end = time.monotonic() + MODELS_TIMEOUT
            while panel_worker.pending and time.monotonic() < end:
                panel_worker.update()
                time.sleep(POLL_INTERVAL)
        model = models.find(name)
        if not model:
            known = ", ".join(one["name"] for one in models.FOUND)
            raise ValueError(panel_worker.error or f"There is no model {self.model!r}. Choose one of these: {known}.")
        return model

    def table_from_panel(self, model: models.Model) -> dict[str, Any]:
        """Job with the panel's values."""
        state = bpy.context.window_manager.ganassets
        seeds = state.seed_options()
        if seeds.get("seeds") == "":
            raise ValueError("Pick seeds in the preview, or enter them.")
        return {**session.job_table(model), **seeds}

    def table_from_operator(self, model: models.Model) -> dict[str, Any]:
        """Job with the operator's properties."""
        table = {"model": model["path"], "seeds": self.seeds, "truncation": round(self.truncation, 4)}
        for name in ("sliders", "settings"):
            text = getattr(self, name)
            if text:
                table[name] = read_object(name, text)
        if self.size:
            table["size"] = self.size
        if model["kind"] == "motion":
            table["options"] = properties.clip_options(self)
        return table

    def run_now(self, job: QueuedJob) -> set[str]:
        """Run a job and wait for its end: Blender's timers do not run without a window."""
        last_printed = -1
        while job.is_open and job.state != job_queue.PAUSED:
            pause = session.get_session().tick()
            tenths = job.done * 10 // job.total if job.total else -1
            if job.total and tenths != last_printed:
                last_printed = tenths
                print(f"GAN Assets: {job.title}: {job.done} of {job.total}")
            time.sleep(min(pause, 0.05))
        if job.state != job_queue.DONE:
            self.report({"ERROR"}, job.error or f"{job.title}: {job.state}")
            return {"CANCELLED"}
        if job.note:
            self.report({"WARNING"}, job.note)
        self.report({"INFO"}, format_result(job))
        return {"FINISHED"}


def find_objects(context: bpy.types.Context, model: models.Model, target: str, table: dict[str, Any]) -> list[str]:
    """Names of the selected objects that can receive the results; ValueError with a message if there are none.

    Args:
        context: Blender's context.
        model: description of the job's model.
        target: LIBRARY, GRID or APPLY.
        table: the job; gets the option "armature" if clips are applied.
    """
    if target != job_queue.APPLY:
        return []
    if model["kind"] == "mesh":
        raise ValueError("Heads can't be applied to objects. Place them in a grid.")
    selected = context.selected_objects or ([context.object] if context.object else [])
    if model["kind"] == "textures":
        names = [thing.name for thing in selected if hasattr(thing.data, "materials")]
        if not names:
            raise ValueError("Select objects that can have a material first.")
        return names
    found = [thing for thing in [context.object, *selected] if thing and thing.type == "ARMATURE"]
    if not found:
        raise ValueError("Select an armature first.")
    folder = paths.user_folder("armatures")
    table["options"] = {**table["options"], "armature": armatures.write_armature(found[0], folder)}
    return [found[0].name]


def read_object(name: str, text: str) -> dict[str, Any]:
    """Read a JSON object; ValueError with a message if the text is none.

    Args:
        name: name of the property, for the message.
        text: its value.
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ValueError(f'{name} must be JSON, such as {{"material": "brick"}}.') from error
    if not isinstance(value, dict):
        raise ValueError(f'{name} must be a JSON object, such as {{"material": "brick"}}.')
    return value


def format_result(job: QueuedJob) -> str:
    """Result of a finished job, for the user."""
    if job.target == job_queue.LIBRARY and job.result:
        there = f", {job.result['there']} were already there" if job.result["there"] else ""
        return f"{job.result['new']} added to the library{there}"
    return f"{len(job.result.get('assets', ()))} generated"


class JobOperator:
    """Operator that acts on one job of the queue."""

    bl_options = {"INTERNAL"}
    job: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def act(self, runner: JobRunner, job: QueuedJob) -> None:
        """Act on the job; each operator defines this."""

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Act on the job if it still exists."""
        runner = session.get_session().job_runner
        job = runner.queue.find(self.job)
        if job:
            self.act(runner, job)
        session.redraw_panels()
        return {"FINISHED"}


class GANASSETS_OT_pause(JobOperator, bpy.types.Operator):
    """Pause the job after the current asset. Resume continues from there"""

    bl_idname, bl_label = "ganassets.pause", "Pause"

    def act(self, runner: JobRunner, job: QueuedJob) -> None:
        """Pause the job."""
        runner.stop(job, job_queue.PAUSED)


class GANASSETS_OT_cancel(JobOperator, bpy.types.Operator):
    """Cancel the job. Assets that are already in a library stay there"""

    bl_idname, bl_label = "ganassets.cancel", "Cancel"

    def act(self, runner: JobRunner, job: QueuedJob) -> None:
        """Cancel the job."""
        runner.stop(job, job_queue.CANCELLED)


class GANASSETS_OT_resume(JobOperator, bpy.types.Operator):
    """Continue the job where it stopped"""

    bl_idname, bl_label = "ganassets.resume", "Resume"

    def act(self, runner: JobRunner, job: QueuedJob) -> None:
        """Put the job back into the queue."""
        runner.queue.resume(job)


class GANASSETS_OT_remove(JobOperator, bpy.types.Operator):
    """Remove the job from the list. Its assets stay"""

    bl_idname, bl_label = "ganassets.remove", "Remove"

    def act(self, runner: JobRunner, job: QueuedJob) -> None:
        """Remove the job unless it is running."""
        if job is not runner.job:
            runner.queue.remove(job)


class GANASSETS_OT_smaller(JobOperator, bpy.types.Operator):
    """Generate the same assets at 512 x 512 pixels"""

    bl_idname, bl_label = "ganassets.smaller", "Generate at 512 px"

    def act(self, runner: JobRunner, job: QueuedJob) -> None:
        """Change the size and resume the job."""
        job.table["size"] = FALLBACK_SIZE
        runner.queue.resume(job)


class GANASSETS_OT_use_model(JobOperator, bpy.types.Operator):
    """Generate the same assets with the model that is chosen above"""

    bl_idname, bl_label = "ganassets.use_model", "Use the Chosen Model"

    def act(self, runner: JobRunner, job: QueuedJob) -> None:
        """Change the model and resume the job."""
        model = session.chosen_model()
        if not model or model["kind"] != job.kind:
            self.report({"ERROR"}, "Choose a model above that makes the same kind of asset.")
            return
        job.table["model"] = model["path"]
        runner.queue.resume(job)


class GANASSETS_OT_browse(JobOperator, bpy.types.Operator):
    """Show the library in an Asset Browser. If none is open, split the 3D view"""

    bl_idname, bl_label = "ganassets.browse", "Show in Asset Browser"

    def act(self, runner: JobRunner, job: QueuedJob) -> None:
        """Show the job's library in an Asset Browser, opening one if necessary."""
        name = asset_libraries.show_library(job.library)
        window = bpy.context.window
        area = next((one for one in window.screen.areas if one.ui_type == "ASSETS"), None)
        if area is None:
            largest = max(window.screen.areas, key=lambda one: (one.type == "VIEW_3D", one.width * one.height))
            with bpy.context.temp_override(area=largest, region=largest.regions[-1]):
                bpy.ops.screen.area_split(direction="HORIZONTAL", factor=BROWSER_SHARE)
            halves = [one for one in window.screen.areas if one.type == largest.type and one.x == largest.x]
            min(halves, key=lambda one: one.y).ui_type = "ASSETS"
        bpy.app.timers.register(functools.partial(show_in_browsers, name), first_interval=0.1)


def show_in_browsers(name: str) -> float | None:
    """Show a library in all open Asset Browsers; returns seconds to the next try while one of them is not ready."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.ui_type == "ASSETS":
                shown = area.spaces.active.params
                if shown is None:
                    return 0.1
                since_4_0, older = "asset_library_reference", "asset_library_ref"
                setattr(shown, since_4_0 if hasattr(shown, since_4_0) else older, name)
    return None


class GANASSETS_OT_choose_library(bpy.types.Operator):
    """Choose another library folder and continue the job there"""

    bl_idname, bl_label = "ganassets.choose_library", "Choose Folder"
    bl_options = {"INTERNAL"}

    job: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})
    directory: bpy.props.StringProperty(subtype="DIR_PATH")
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Open the file browser."""
        self.directory = library_path()
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set the folder and resume the job."""
        preferences().library = self.directory
        queue = session.get_session().job_runner.queue
        job = queue.find(self.job)
        if job:
            job.library = library_path()
            queue.resume(job)
        return {"FINISHED"}


class GANASSETS_OT_add_model(bpy.types.Operator):
    """Add your own model file. You can also drop .onnx files into the window"""

    bl_idname, bl_label = "ganassets.add_model", "Add Model"
    bl_options = {"INTERNAL"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.onnx", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Open the file browser, unless a file was dropped."""
        if self.filepath:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Request a description of the model."""
        session.get_session().panel_worker.add_model(absolute(self.filepath))
        return {"FINISHED"}


if hasattr(bpy.types, "FileHandler"):  # since Blender 4.1

    class GANASSETS_FH_model(bpy.types.FileHandler):
        """Add models that are dropped into the window"""

        bl_idname, bl_label = "GANASSETS_FH_model", "GAN Assets model"
        bl_import_operator, bl_file_extensions = "ganassets.add_model", ".onnx"

        @classmethod
        def poll_drop(cls, context: bpy.types.Context) -> bool:
            """Return whether the editor accepts dropped models."""
            return context.area is not None and context.area.type in ("VIEW_3D", "NODE_EDITOR")

    FILE_HANDLERS = (GANASSETS_FH_model,)
else:
    FILE_HANDLERS = ()


class GANASSETS_OT_look_again(bpy.types.Operator):
    """Look for models again, or repeat the request that failed"""

    bl_idname, bl_label = "ganassets.look_again", "Look Again"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Repeat the request."""
        session.get_session().panel_worker.retry()
        return {"FINISHED"}


class GANASSETS_OT_dismiss(bpy.types.Operator):
    """Hide this message"""

    bl_idname, bl_label = "ganassets.dismiss", "Dismiss"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Hide the message."""
        session.get_session().panel_worker.dismiss_error()
        return {"FINISHED"}


class GANASSETS_OT_preview(bpy.types.Operator):
    """Show thumbnails of twelve seeds with the current sliders"""

    bl_idname, bl_label = "ganassets.preview", "Preview"
    bl_options = {"INTERNAL"}

    step: bpy.props.IntProperty(default=0, options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Request thumbnails."""
        model = session.chosen_model()
        if not model:
            return {"CANCELLED"}
        state = context.window_manager.ganassets
        state.first = max(0, state.first + self.step * THUMBNAIL_COUNT)
        table = session.job_table(model, MAX_MATERIAL_SIZE)
        last = state.first + THUMBNAIL_COUNT - 1
        session.get_session().panel_worker.request_thumbnails({**table, "seeds": f"{state.first}-{last}"})
        return {"FINISHED"}


class GANASSETS_OT_pick(bpy.types.Operator):
    """Pick this seed. Click again to remove it from the picked seeds"""

    bl_idname, bl_label = "ganassets.pick", "Pick"
    bl_options = {"INTERNAL"}

    seed: bpy.props.IntProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add the seed to the picked ones, or remove it."""
        state = context.window_manager.ganassets
        picked = [int(seed) for seed in state.picked.split(",") if seed]
        if self.seed in picked:
            picked.remove(self.seed)
        else:
            picked.append(self.seed)
        state.picked = ",".join(map(str, sorted(picked)))
        state.seed_mode = properties.PICKED if picked else properties.RANGE
        return {"FINISHED"}


class GANASSETS_OT_release(bpy.types.Operator):
    """End the idle worker processes to free their memory. They start again when they are needed"""

    bl_idname, bl_label = "ganassets.release", "Release Memory"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """End the idle processes."""
        current = session.get_session()
        current.job_runner.release()
        current.panel_worker.release()
        return {"FINISHED"}


class GANASSETS_OT_show_log(bpy.types.Operator):
    """Show the last lines of the worker processes' log"""

    bl_idname, bl_label = "ganassets.show_log", "Show Log"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Show the lines in a popup."""
        path = paths.log_file()
        lines = read_last_lines(path, LOG_LINES)

        def draw(menu: bpy.types.Menu, _: bpy.types.Context) -> None:
            for line in lines or ["The log is empty."]:
                menu.layout.label(text=line[:MAX_LOG_LINE])

        context.window_manager.popup_menu(draw, title=str(path), icon="TEXT")
        return {"FINISHED"}


def read_last_lines(path: Path, count: int) -> list[str]:
    """Last lines of a text file; none if there is no file."""
    if not path.is_file():
        return []
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_TAIL_BYTES))
        return file.read().decode(errors="replace").splitlines()[-count:]


CLASSES = (
    GANASSETS_OT_generate,
    GANASSETS_OT_pause,
    GANASSETS_OT_cancel,
    GANASSETS_OT_resume,
    GANASSETS_OT_remove,
    GANASSETS_OT_smaller,
    GANASSETS_OT_use_model,
    GANASSETS_OT_browse,
    GANASSETS_OT_choose_library,
    GANASSETS_OT_add_model,
    GANASSETS_OT_look_again,
    GANASSETS_OT_dismiss,
    GANASSETS_OT_preview,
    GANASSETS_OT_pick,
    GANASSETS_OT_release,
    GANASSETS_OT_show_log,
    *FILE_HANDLERS,
)
