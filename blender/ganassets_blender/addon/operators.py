# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false, reportInvalidTypeForm=false
"""What buttons and scripts do."""

import functools
import json
import time
from pathlib import Path

import bpy

from . import armatures, jobs, libraries, models, places, properties, studio
from .desk import MOST_SIZE, THUMBNAILS
from .preferences import absolute, library_path, preferences
from .works import Works

FIRST_SIZE = "512"  # that a job falls back to whose size can't be made
LOG_LINES = 12
BROWSER = 0.45  # of the 3D view's height
OLD = "asset_library_ref"
PATIENCE = 120.0  # seconds that a script waits for the models


class GANASSETS_OT_generate(bpy.types.Operator):
    """Make assets in the background; Blender stays usable. Without a window it waits until they are there"""

    bl_idname = "ganassets.generate"
    bl_label = "Generate"
    bl_options = {"REGISTER"}

    from_panel: bpy.props.BoolProperty(options={"HIDDEN", "SKIP_SAVE"})
    model: bpy.props.StringProperty(
        name="Model",
        description="A name of the box (textures, faces, poses) or the path of a .onnx",
        default="textures",
    )
    seeds: bpy.props.StringProperty(name="Seeds", description="Such as 1-200 or 3,7,20-30", default="1-50")
    sliders: bpy.props.StringProperty(name="Sliders", description='JSON, such as {"material": "brick"}')
    settings: bpy.props.StringProperty(name="Settings", description='JSON, such as {"seconds": 2.0, "loop": true}')
    truncation: bpy.props.FloatProperty(name="Variety", default=0.85, min=0.0, max=1.0)
    size: bpy.props.StringProperty(name="Size", description="Pixels of a texture, such as 512 or 1024x512")
    rig: bpy.props.EnumProperty(name="Bones", items=properties.RIGS)
    in_place: bpy.props.BoolProperty(name="In place")
    target: bpy.props.EnumProperty(name="Into", items=properties.TARGETS)
    library: bpy.props.StringProperty(
        name="Library folder", description="Empty for that of the preferences", subtype="DIR_PATH"
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Put a job into the queue."""
        try:
            model = self.find_model()
            table = self.panel_table(model) if self.from_panel else self.own_table(model)
            target = context.window_manager.ganassets.target if self.from_panel else self.target
            objects = self.objects_for(context, model, target, table)
        except ValueError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        folder = absolute(self.library) if self.library and not self.from_panel else ""
        job = studio.add_job(table, model, target, folder, objects)
        if bpy.app.background:
            return self.wait(job)
        self.report({"INFO"}, f"{job.title}: in the queue")
        return {"FINISHED"}

    def find_model(self) -> models.Model:
        """The model that is asked for; a script may have to wait for the process to tell."""
        if self.from_panel:
            model = studio.chosen_model()
            if not model:
                raise ValueError("Choose a model first.")
            return model
        desk, is_file = studio.studio().desk, self.model.endswith(".onnx")
        path = absolute(self.model) if is_file else self.model
        if not models.find(path):
            if is_file:
                desk.add_model(path)
            else:
                desk.look_for_models()
            end = time.monotonic() + PATIENCE
            while desk.calls and time.monotonic() < end:
                desk.tend()
                time.sleep(0.02)
        model = models.find(path)
        if not model:
            known = ", ".join(one["name"] for one in models.FOUND)
            raise ValueError(desk.error or f"There is no model {self.model!r}; there are {known}.")
        return model

    def panel_table(self, model: models.Model) -> dict:
        """A job as the panel has it."""
        state = bpy.context.window_manager.ganassets
        seeds = state.seed_list()
        if seeds.get("seeds") == "":
            raise ValueError("Pick seeds among the thumbnails, or write them.")
        return {**studio.table_of(model), **seeds}

    def own_table(self, model: models.Model) -> dict:
        """A job as the operator's properties have it."""
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

    def objects_for(self, context: bpy.types.Context, model: models.Model, target: str, table: dict) -> list[str]:
        """Names of the objects that results are for."""
        if target != jobs.APPLY:
            return []
        if model["kind"] == "mesh":
            raise ValueError("Heads can't be applied to objects; place them in a grid.")
        selected = context.selected_objects or ([context.object] if context.object else [])
        if model["kind"] == "textures":
            names = [thing.name for thing in selected if hasattr(thing.data, "materials")]
            if not names:
                raise ValueError("Select objects that can have a material first.")
            return names
        figures = [thing for thing in [context.object, *selected] if thing and thing.type == "ARMATURE"]
        if not figures:
            raise ValueError("Select an armature first.")
        folder = places.user_folder("armatures")
        table["options"] = {**table["options"], "armature": armatures.write(figures[0], folder)}
        return [figures[0].name]

    def wait(self, job: jobs.Job) -> set[str]:
        """Carry a job out now, because no timer runs without a window."""
        told = -1
        while job.is_open and job.state != jobs.PAUSED:
            pause = studio.studio().tick()
            if job.total and job.done * 10 // job.total != told:
                told = job.done * 10 // job.total
                print(f"GAN Assets: {job.title}: {job.done} of {job.total}")
            time.sleep(min(pause, 0.05))
        if job.state != jobs.DONE:
            self.report({"ERROR"}, job.error or f"{job.title}: {job.state}")
            return {"CANCELLED"}
        if job.note:
            self.report({"WARNING"}, job.note)
        self.report({"INFO"}, summary(job))
        return {"FINISHED"}


def read_object(name: str, text: str) -> dict:
    """A JSON object; ValueError in a sentence where it is none."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ValueError(f'{name} must be JSON, such as {{"material": "brick"}}.') from error
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be a JSON object.")
    return value


def summary(job: jobs.Job) -> str:
    """What came of a job."""
    if job.target == jobs.LIBRARY and job.result:
        there = f", {job.result['there']} were there" if job.result["there"] else ""
        return f"{job.result['new']} added to the library{there}"
    return f"{len(job.result.get('assets', ()))} made"


class JobOperator:
    """What is done with one job."""

    bl_options = {"INTERNAL"}
    job: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def act(self, works: Works, job: jobs.Job) -> None:
        """Do it."""

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do it, if the job is there still."""
        works = studio.studio().works
        job = works.queue.find(self.job)
        if job:
            self.act(works, job)
        studio.redraw()
        return {"FINISHED"}


class GANASSETS_OT_pause(JobOperator, bpy.types.Operator):
    """Leave off after the asset that is being made; Resume goes on there"""

    bl_idname, bl_label = "ganassets.pause", "Pause"

    def act(self, works: Works, job: jobs.Job) -> None:
        """Pause it."""
        works.stop(job, jobs.PAUSED)


class GANASSETS_OT_cancel(JobOperator, bpy.types.Operator):
    """Leave off and forget the job; what is in a library already stays there"""

    bl_idname, bl_label = "ganassets.cancel", "Cancel"

    def act(self, works: Works, job: jobs.Job) -> None:
        """Cancel it."""
        works.stop(job, jobs.CANCELLED)


class GANASSETS_OT_resume(JobOperator, bpy.types.Operator):
    """Go on where it stopped"""

    bl_idname, bl_label = "ganassets.resume", "Resume"

    def act(self, works: Works, job: jobs.Job) -> None:
        """Let it wait for its turn."""
        works.queue.resume(job)


class GANASSETS_OT_remove(JobOperator, bpy.types.Operator):
    """Take the job off the list; what it made stays"""

    bl_idname, bl_label = "ganassets.remove", "Remove"

    def act(self, works: Works, job: jobs.Job) -> None:
        """Forget it."""
        if job is not works.job:
            works.queue.remove(job)


class GANASSETS_OT_smaller(JobOperator, bpy.types.Operator):
    """Make the same at 512 by 512 pixels"""

    bl_idname, bl_label = "ganassets.smaller", "Make at 512 px"

    def act(self, works: Works, job: jobs.Job) -> None:
        """Change the size and go on."""
        job.table["size"] = FIRST_SIZE
        works.queue.resume(job)


class GANASSETS_OT_use_model(JobOperator, bpy.types.Operator):
    """Make the same with the model that is chosen above"""

    bl_idname, bl_label = "ganassets.use_model", "Use the Chosen Model"

    def act(self, works: Works, job: jobs.Job) -> None:
        """Change the model and go on."""
        model = studio.chosen_model()
        if not model or model["kind"] != job.kind:
            self.report({"ERROR"}, "Choose a model above that makes the same kind of asset.")
            return
        job.table["model"] = model["path"]
        works.queue.resume(job)


class GANASSETS_OT_browse(JobOperator, bpy.types.Operator):
    """Show the library in an Asset Browser; without one the 3D view is split"""

    bl_idname, bl_label = "ganassets.browse", "Show in Asset Browser"

    def act(self, works: Works, job: jobs.Job) -> None:
        """Find an Asset Browser, or make one."""
        name = libraries.show(job.library)
        window = bpy.context.window
        area = next((one for one in window.screen.areas if one.ui_type == "ASSETS"), None)
        if area is None:
            wide = max(window.screen.areas, key=lambda one: (one.type == "VIEW_3D", one.width * one.height))
            with bpy.context.temp_override(area=wide, region=wide.regions[-1]):
                bpy.ops.screen.area_split(direction="HORIZONTAL", factor=BROWSER)
            area = min((one for one in window.screen.areas if one.type == wide.type and one.x == wide.x), key=low)
            area.ui_type = "ASSETS"
        bpy.app.timers.register(functools.partial(choose_in_browser, name), first_interval=0.1)


def low(area: bpy.types.Area) -> int:
    """How low an area is on the screen."""
    return area.y


def choose_in_browser(name: str) -> float | None:
    """Let the Asset Browsers that are open show a library; once more soon where one isn't ready yet."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.ui_type == "ASSETS":
                shown = area.spaces.active.params
                if shown is None:
                    return 0.1
                # Its name since 4.0.
                setattr(shown, "asset_library_reference" if hasattr(shown, "asset_library_reference") else OLD, name)
    return None


class GANASSETS_OT_choose_library(bpy.types.Operator):
    """Choose another folder for asset libraries, and let the job go on there"""

    bl_idname, bl_label = "ganassets.choose_library", "Choose Folder"
    bl_options = {"INTERNAL"}

    job: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})
    directory: bpy.props.StringProperty(subtype="DIR_PATH")
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Let the user choose."""
        self.directory = library_path()
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take the folder."""
        preferences().library = self.directory
        queue = studio.studio().works.queue
        job = queue.find(self.job)
        if job:
            job.library = library_path()
            queue.resume(job)
        return {"FINISHED"}


class GANASSETS_OT_add_model(bpy.types.Operator):
    """Use a model file of yours; .onnx files can also be dropped into the window"""

    bl_idname, bl_label = "ganassets.add_model", "Add Model"
    bl_options = {"INTERNAL"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.onnx", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Let the user choose, unless a file was dropped."""
        if self.filepath:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask the process what it is."""
        studio.studio().desk.add_model(absolute(self.filepath))
        return {"FINISHED"}


if hasattr(bpy.types, "FileHandler"):  # since 4.1

    class GANASSETS_FH_model(bpy.types.FileHandler):
        """Takes models that are dropped into the window"""

        bl_idname, bl_label = "GANASSETS_FH_model", "GAN Assets model"
        bl_import_operator, bl_file_extensions = "ganassets.add_model", ".onnx"

        @classmethod
        def poll_drop(cls, context: bpy.types.Context) -> bool:
            """Whether the editor takes it."""
            return context.area is not None and context.area.type in ("VIEW_3D", "NODE_EDITOR")

    DROPPED = (GANASSETS_FH_model,)
else:
    DROPPED = ()


class GANASSETS_OT_look_again(bpy.types.Operator):
    """Look for models again, or for what else was asked when the process ended"""

    bl_idname, bl_label = "ganassets.look_again", "Look Again"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask the process."""
        studio.studio().desk.try_again()
        return {"FINISHED"}


class GANASSETS_OT_dismiss(bpy.types.Operator):
    """Hide this message"""

    bl_idname, bl_label = "ganassets.dismiss", "Dismiss"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Hide it."""
        studio.studio().desk.dismiss()
        return {"FINISHED"}


class GANASSETS_OT_preview(bpy.types.Operator):
    """Show the next twelve seeds with these sliders"""

    bl_idname, bl_label = "ganassets.preview", "Preview"
    bl_options = {"INTERNAL"}

    step: bpy.props.IntProperty(default=0, options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask for them."""
        model = studio.chosen_model()
        if not model:
            return {"CANCELLED"}
        state = context.window_manager.ganassets
        state.first = max(0, state.first + self.step * THUMBNAILS)
        table = studio.table_of(model, MOST_SIZE)
        last = state.first + THUMBNAILS - 1
        studio.studio().desk.look_at({**table, "seeds": f"{state.first}-{last}"})
        return {"FINISHED"}


class GANASSETS_OT_pick(bpy.types.Operator):
    """Pick this seed, or leave it out again"""

    bl_idname, bl_label = "ganassets.pick", "Pick"
    bl_options = {"INTERNAL"}

    seed: bpy.props.IntProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Change the picks and use them."""
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
    """End the processes beside Blender and so give their memory back; they start again when they are needed"""

    bl_idname, bl_label = "ganassets.release", "Release Memory"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """End those that have nothing to do."""
        one = studio.studio()
        one.works.release()
        one.desk.release()
        return {"FINISHED"}


class GANASSETS_OT_show_log(bpy.types.Operator):
    """Show what the processes beside Blender said last"""

    bl_idname, bl_label = "ganassets.show_log", "Show Log"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Draw the last lines."""
        path = places.log_file()
        lines = last_lines(path, LOG_LINES)

        def draw(menu: bpy.types.Menu, _: bpy.types.Context) -> None:
            for line in lines or ["Nothing was said."]:
                menu.layout.label(text=line[:160])

        context.window_manager.popup_menu(draw, title=str(path), icon="TEXT")
        return {"FINISHED"}


def last_lines(path: Path, count: int) -> list[str]:
    """The end of a text file."""
    if not path.is_file():
        return []
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - 8192))
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
    *DROPPED,
)
