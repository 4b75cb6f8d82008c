# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false, reportInvalidTypeForm=false
"""The add-on's preferences."""

import os
from typing import Any

import bpy

from .paths import PACKAGE, library_folder


def absolute(path: str) -> str:
    """Absolute path of a path that may be relative to the open .blend file."""
    return os.path.abspath(bpy.path.abspath(path))


def make_folders_absolute(self: Any, context: Any) -> None:
    """Replace paths relative to the open .blend file, because the preferences apply to all files."""
    for name in ("library", "models"):
        path = getattr(self, name)
        if path.startswith("//"):
            setattr(self, name, absolute(path))


class GANASSETS_AddonPreferences(bpy.types.AddonPreferences):
    """Settings for all jobs."""

    bl_idname = PACKAGE

    library: bpy.props.StringProperty(
        name="Library folder",
        description="Folder for generated asset libraries. Empty: a folder in Blender's user folder",
        subtype="DIR_PATH",
        update=make_folders_absolute,
    )
    models: bpy.props.StringProperty(
        name="Models folder",
        description="Folder with your own .onnx models, or with run folders of ganassets",
        subtype="DIR_PATH",
        update=make_folders_absolute,
    )
    added: bpy.props.StringProperty(
        name="Models", description="Paths of the model files that you have added", options={"HIDDEN"}
    )
    threads: bpy.props.IntProperty(
        name="Processes",
        description="Number of assets that are generated at the same time. 0: as many as fit this machine",
        min=0,
        max=64,
    )
    provider: bpy.props.EnumProperty(
        name="Compute on",
        description="Device that runs the models. All but the processor need a matching build of onnxruntime",
        items=(
            ("CPUExecutionProvider", "Processor", "Gives the same result on every machine"),
            ("CUDAExecutionProvider", "CUDA", "NVIDIA GPU. Needs a build of onnxruntime with CUDA"),
            ("CoreMLExecutionProvider", "Core ML", "Apple devices. Results may differ in the last digits"),
            ("DmlExecutionProvider", "DirectML", "GPU on Windows. Needs a build of onnxruntime with DirectML"),
        ),
    )
    memory: bpy.props.FloatProperty(
        name="Memory limit (GB)",
        description="Memory for generating assets, in all processes together. 0: all free memory",
        min=0.0,
        soft_max=64.0,
    )
    idle: bpy.props.IntProperty(
        name="Release memory after (s)",
        description="Seconds without work after which the add-on ends its worker processes and frees their memory",
        default=60,
        min=5,
        max=3600,
    )
    pack: bpy.props.BoolProperty(
        name="Pack images",
        description="Store images inside the .blend files. Otherwise they are stored beside the files",
        default=True,
    )
    author: bpy.props.StringProperty(name="Author", description="Author of the assets in a library")
    licence: bpy.props.StringProperty(
        name="Licence", description="Licence of the assets in a library. Empty: the licence of the model"
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
