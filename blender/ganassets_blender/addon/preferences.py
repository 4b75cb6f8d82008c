# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false, reportInvalidTypeForm=false
"""The add-on's preferences."""

import os
from typing import Any

import bpy

from .places import PACKAGE, library_folder


def absolute(path: str) -> str:
    """A path that doesn't depend on the file that is open."""
    return os.path.abspath(bpy.path.abspath(path))


def folder_chosen(self: Any, context: Any) -> None:
    """Blender's file browser gives paths relative to the file that is open, but another one will be."""
    for name in ("library", "models"):
        path = getattr(self, name)
        if path.startswith("//"):
            setattr(self, name, absolute(path))


class GANASSETS_AddonPreferences(bpy.types.AddonPreferences):
    """What holds for all jobs."""

    bl_idname = PACKAGE

    library: bpy.props.StringProperty(
        name="Library folder",
        description="Where asset libraries are written; empty for a folder of the add-on's own",
        subtype="DIR_PATH",
        update=folder_chosen,
    )
    models: bpy.props.StringProperty(
        name="Models folder",
        description="A folder with .onnx models of yours, or with run folders of ganassets",
        subtype="DIR_PATH",
        update=folder_chosen,
    )
    added: bpy.props.StringProperty(
        name="Models", description="Paths of models that were added one by one", options={"HIDDEN"}
    )
    threads: bpy.props.IntProperty(
        name="Processes",
        description="How many assets are made side by side; 0 for as many as the machine has room for",
        min=0,
        max=64,
    )
    provider: bpy.props.EnumProperty(
        name="Computes on",
        description="Execution provider of onnxruntime; those that the extension's build lacks say so",
        items=(
            ("CPUExecutionProvider", "Processor", "The same result on every machine"),
            ("CUDAExecutionProvider", "CUDA", "A GPU of NVIDIA's; needs a build of onnxruntime with CUDA"),
            ("CoreMLExecutionProvider", "Core ML", "Apple's; the last digits may differ"),
            ("DmlExecutionProvider", "DirectML", "Windows; needs a build of onnxruntime with DirectML"),
        ),
    )
    memory: bpy.props.FloatProperty(
        name="Memory limit (GB)",
        description="What making assets may take, all processes together; 0 for as much as is free",
        min=0.0,
        soft_max=64.0,
    )
    idle: bpy.props.IntProperty(
        name="Release memory after (s)",
        description="Seconds without work after which the process beside Blender ends",
        default=60,
        min=5,
        max=3600,
    )
    pack: bpy.props.BoolProperty(
        name="Pack pictures",
        description="Keep pictures inside .blend files; otherwise libraries have them beside the files",
        default=True,
    )
    author: bpy.props.StringProperty(name="Author", description="Written into every asset of a library")
    licence: bpy.props.StringProperty(
        name="Licence", description="Written into every asset of a library; empty for the model's own"
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the preferences."""
        layout = self.layout
        layout.use_property_split = True
        for name in ("library", "models", "pack", "author", "licence"):
            layout.prop(self, name)
        layout.separator()
        for name in ("threads", "memory", "idle", "provider"):
            layout.prop(self, name)
        layout.operator("ganassets.show_log")


def preferences() -> GANASSETS_AddonPreferences:
    """The add-on's preferences."""
    return bpy.context.preferences.addons[PACKAGE].preferences


def library_path() -> str:
    """The library folder."""
    chosen = preferences().library
    return absolute(chosen) if chosen else str(library_folder())
