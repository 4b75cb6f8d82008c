"""A clip as an animated skeleton that moves a mannequin."""

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

from .geometry import add_mesh, add_skeleton, add_skin, bind, floats, transforms
from .materials import add_materials
from .scene import Scene, new_scene

if TYPE_CHECKING:
    from pxr import UsdGeom, UsdSkel


def describe_motion(clip: MotionClip, options: Mapping[str, Any]) -> Scene:
    """The scene of a clip; a time code is a frame, the first is 0."""
    if options["root"] == "in-place":
        clip = remove_travel(clip)
    rig = options["rig"]
    mannequin = make_mannequin_for_rig(clip.skeleton, rig)
    if rig != VRM:
        clip = to_rig(clip, rig)
    scene = new_scene(clip, "SkelRoot")
    stage = scene.stage
    stage.SetTimeCodesPerSecond(clip.fps)
    stage.SetFramesPerSecond(clip.fps)
    stage.SetStartTimeCode(0)
    stage.SetEndTimeCode(len(clip) - 1)
    mesh = add_figure(scene, mannequin)
    skeleton = add_joints(scene, clip.skeleton)
    add_skin(mesh, skeleton, mannequin.joints, mannequin.weights)
    add_animation(scene, clip, skeleton, bool(RIGS[rig].root))
    return scene


def add_figure(scene: Scene, mannequin: Mannequin) -> UsdGeom.Mesh:
    """Append the mannequin and its two materials."""
    lengths = [len(triangles) for triangles in mannequin.triangles]
    corners = np.concatenate(mannequin.triangles).ravel()
    counts = np.full(sum(lengths), 3)
    mesh = add_mesh(scene, "mannequin", mannequin.positions, mannequin.normals, counts, corners)
    surfaces = {name: {"diffuseColor": colour, "roughness": rough, "metallic": 0.0} for name, colour, rough in SURFACES}
    bind(mesh, add_materials(scene, surfaces), np.repeat(np.arange(len(lengths)), lengths))
    return mesh


def add_joints(scene: Scene, skeleton: Skeleton) -> UsdSkel.Skeleton:
    """Append a skeleton at rest."""
    places, turns = rest_pose(skeleton)
    local = transforms(to_matrix(skeleton.rest_rotations.astype(np.float64)), skeleton.offsets)
    world = transforms(to_matrix(turns), places)
    return add_skeleton(scene, skeleton.names, skeleton.parents, local, world)


def add_animation(scene: Scene, clip: MotionClip, skeleton: UsdSkel.Skeleton, has_root: bool) -> None:
    """Append the clip, and let the skeleton play it.

    Args:
        scene: that gets it.
        clip: whose frames become time codes.
        skeleton: of the clip.
        has_root: joint 0 is a root of the rig's own above the hips.
    """
    from pxr import Usd, UsdSkel, Vt

    animation = UsdSkel.Animation.Define(scene.stage, f"{scene.root}/animation")
    animation.CreateJointsAttr(skeleton.GetJointsAttr().Get())
    animation.CreateScalesAttr(Vt.Vec3hArray(len(clip.skeleton.names), (1, 1, 1)))
    translations, rotations = animation.CreateTranslationsAttr(), animation.CreateRotationsAttr()
    for frame, (places, turns) in enumerate(zip(places_of(clip, has_root), clip.rotations, strict=True)):
        time = Usd.TimeCode(frame)
        translations.Set(Vt.Vec3fArray.FromNumpy(floats(places)), time)
        rotations.Set(Vt.QuatfArray.FromNumpy(floats(turns)), time)
    UsdSkel.BindingAPI(skeleton.GetPrim()).CreateAnimationSourceRel().SetTargets([animation.GetPath()])


def places_of(clip: MotionClip, has_root: bool) -> np.ndarray:
    """(f, j, 3) places of the joints in their parents' frames. A root of the rig's own stays on the ground, where
    engines look for the travel, and the hips below it go up and down.
    """
    places = np.tile(clip.skeleton.offsets, (len(clip), 1, 1))
    places[:, 0] = clip.translation
    if has_root:
        places[:, 1, 1] += clip.translation[:, 1]
        places[:, 0, 1] = 0
    return places
