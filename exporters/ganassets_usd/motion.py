"""Build the stage of a clip: an animated skeleton that moves a mannequin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ganassets.api.assets import MotionClip, Skeleton
from ganassets.api.motion.editing import remove_travel
from ganassets.api.motion.kinematics import rest_pose
from ganassets.api.motion.mannequin import SURFACES, VRM, Mannequin, make_mannequin_for_rig
from ganassets.api.motion.retarget import to_rig
from ganassets.api.motion.rigs import RIGS
from ganassets.api.motion.rotations import to_matrix

from .geometry import add_mesh, add_skeleton, add_skin, bind_materials, make_transforms, to_float32
from .materials import add_materials
from .stage import AssetStage, new_stage

if TYPE_CHECKING:
    from pxr import UsdGeom, UsdSkel


def make_motion_stage(clip: MotionClip, options: Mapping[str, Any]) -> AssetStage:
    """Build the stage of a clip; each frame is a time code, the first is 0."""
    if options["root"] == "in-place":
        clip = remove_travel(clip)
    rig = options["rig"]
    mannequin = make_mannequin_for_rig(clip.skeleton, rig)
    if rig != VRM:
        clip = to_rig(clip, rig)
    stage = new_stage(clip, "SkelRoot")
    stage.usd.SetTimeCodesPerSecond(clip.fps)
    stage.usd.SetFramesPerSecond(clip.fps)
    stage.usd.SetStartTimeCode(0)
    stage.usd.SetEndTimeCode(len(clip) - 1)
    mesh = add_mannequin(stage, mannequin)
    skeleton = add_joints(stage, clip.skeleton)
    add_skin(mesh, skeleton, mannequin.joints, mannequin.weights)
    add_animation(stage, clip, skeleton, bool(RIGS[rig].root))
    return stage


def add_mannequin(stage: AssetStage, mannequin: Mannequin) -> UsdGeom.Mesh:
    """Add the mannequin and its two materials."""
    lengths = [len(triangles) for triangles in mannequin.triangles]
    corners = np.concatenate(mannequin.triangles).ravel()
    counts = np.full(sum(lengths), 3)
    mesh = add_mesh(stage, "mannequin", mannequin.positions, mannequin.normals, counts, corners)
    surfaces = {name: {"diffuseColor": colour, "roughness": rough, "metallic": 0.0} for name, colour, rough in SURFACES}
    bind_materials(mesh, add_materials(stage, surfaces), np.repeat(np.arange(len(lengths)), lengths))
    return mesh


def add_joints(stage: AssetStage, skeleton: Skeleton) -> UsdSkel.Skeleton:
    """Add a skeleton at rest."""
    positions, rotations = rest_pose(skeleton)
    local = make_transforms(to_matrix(skeleton.rest_rotations.astype(np.float64)), skeleton.offsets)
    world = make_transforms(to_matrix(rotations), positions)
    return add_skeleton(stage, skeleton.names, skeleton.parents, local, world)


def add_animation(stage: AssetStage, clip: MotionClip, skeleton: UsdSkel.Skeleton, has_root: bool) -> None:
    """Add a clip's motion and let the skeleton play it.

    Args:
        stage: Stage that gets the animation.
        clip: The clip.
        skeleton: The clip's skeleton in the stage.
        has_root: Whether joint 0 is a root of the rig above the hips.
    """
    from pxr import Usd, UsdSkel, Vt

    animation = UsdSkel.Animation.Define(stage.usd, f"{stage.root}/animation")
    animation.CreateJointsAttr(skeleton.GetJointsAttr().Get())
    animation.CreateScalesAttr(Vt.Vec3hArray(len(clip.skeleton.names), (1, 1, 1)))
    translations, rotations = animation.CreateTranslationsAttr(), animation.CreateRotationsAttr()
    for frame, (positions, turns) in enumerate(zip(joint_translations(clip, has_root), clip.rotations, strict=True)):
        time = Usd.TimeCode(frame)
        translations.Set(Vt.Vec3fArray.FromNumpy(to_float32(positions)), time)
        rotations.Set(Vt.QuatfArray.FromNumpy(to_float32(turns)), time)
    UsdSkel.BindingAPI(skeleton.GetPrim()).CreateAnimationSourceRel().SetTargets([animation.GetPath()])


def joint_translations(clip: MotionClip, has_root: bool) -> np.ndarray:
    """Compute the translation of every joint in its parent's frame.

    A root of the rig stays on the ground, where engines look for the travel, and the hips below it move up and down.

    Args:
        clip: The clip.
        has_root: Whether joint 0 is a root of the rig above the hips.

    Returns:
        (f, j, 3) metres.
    """
    translations = np.tile(clip.skeleton.offsets, (len(clip), 1, 1))
    translations[:, 0] = clip.translation
    if has_root:
        translations[:, 1, 1] += clip.translation[:, 1]
        translations[:, 0, 1] = 0
    return translations
