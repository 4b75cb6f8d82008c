"""Read the animations of skeletons in glTF files (GLB, or JSON with its buffers); a file may hold several figures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ganassets.api.errors import InputError
from ganassets.api.motion.rigs import match_bones, missing_joints
from ganassets.api.motion.rotations import FloatArray, degrees_between, from_matrix, normalise, to_matrix
from ganassets.api.motion.take import Take

from .forward import Float64Array, world_transforms
from .gltf_document import (
    AccessorReader,
    GltfAnimation,
    GltfDocument,
    GltfNode,
    GltfSkin,
    get_item,
    read_document,
    vrm_bone_names,
)
from .keys import SLACK, find_frame_rate, sample_keys
from .limits import check_motion_size, check_numbers

# Path of a channel's target -> type of the accessor.
PATHS = {"translation": "VEC3", "rotation": "VEC4", "scale": "VEC3"}
SMALL = 1e-12
LEAST_JOINTS = 11  # joints of a figure; a humanoid needs 11
COUNTED = re.compile(r"[._]\d+$")  # suffix that exporters append to duplicate names


@dataclass(frozen=True, eq=False)
class JointTrack:
    """Key frames of one joint's translation, rotation or scale; see `sample_keys`.

    Attributes:
        joint: Index in the skeleton.
        path: One of PATHS.
        times: (k,) seconds.
        keys: (k, c) values; for CUBICSPLINE (k, 3, c).
        how: Interpolation.
    """

    joint: int
    path: str
    times: FloatArray
    keys: FloatArray
    how: str


@dataclass(frozen=True, eq=False)
class GltfSkeleton:
    """The nodes of a skeleton.

    Attributes:
        nodes: Indices in the document, parents before children.
        names: Names of the nodes.
        parents: Index of each one's parent among them, -1 for a root.
        local: path -> values (1, j, c) of nodes that are not animated.
        own: Nodes that belong to no other skeleton of the file.
        label: Name of the topmost of its own nodes.
    """

    nodes: tuple[int, ...]
    names: tuple[str, ...]
    parents: tuple[int, ...]
    local: dict[str, FloatArray]
    own: frozenset[int]
    label: str


def refuse_neighbours(name: str) -> bytes:
    """Raise InputError: no other file can be read beside a file that is given as bytes."""
    raise InputError(f"{name[:80]!r} beside the file can't be read; export it as one GLB")


def read_gltf(
    content: bytes, name: str, beside: Callable[[str], bytes] = refuse_neighbours, still: list[str] | None = None
) -> list[Take]:
    """Read all animations that move a skeleton of the file.

    A skeleton consists of the joints of all skins and their ancestors, or without skins of the animated nodes. Several
    figures in a file are skeletons of their own; an animation that moves several of them gives a clip for each. The
    rest pose is that of the inverse bind matrices if there are any, else that of the nodes. Key frames at even frames
    keep their rate, others become 30 frames per second.

    Args:
        content: Content of the GLB or glTF file.
        name: For animations without a name.
        beside: Returns the content of a buffer's file by its relative name; InputError where there is none.
        still: Names of animations that move no skeleton are appended.

    Raises:
        InputError: The file is invalid, or has no animation of a skeleton.
    """
    numbers = read_document(content, beside)
    document = numbers.document
    if not document.animations:
        raise InputError("the file has no animation")
    skeletons = [(joints, read_rest_pose(numbers, joints)) for joints in find_skeletons(document)]
    takes, frames = [], 0
    for index, animation in enumerate(document.animations):
        label = animation.name or (name if len(document.animations) == 1 else f"{name} {index + 1}")
        moved = [
            (*skeleton, tracks) for skeleton in skeletons if (tracks := read_tracks(numbers, animation, skeleton[0]))
        ]
        labels = number_duplicates([joints.label for joints, _, _ in moved])
        for (joints, rest, tracks), figure in zip(moved, labels, strict=True):
            frames += frame_times(tracks)[1]
            check_motion_size(len(joints.nodes), frames)
            takes.append(build_take(f"{label} ({figure})" if len(moved) > 1 else label, joints, rest, tracks))
        if not moved and still is not None:
            still.append(label)
    if not takes:
        raise InputError("none of the file's animations moves a skeleton")
    return takes


def number_duplicates(names: Sequence[str]) -> list[str]:
    """Return the names, with a number appended to those that occur several times."""
    counts, seen = Counter(names), Counter[str]()
    made = []
    for name in names:
        seen[name] += 1
        made.append(f"{name} {seen[name]}" if counts[name] > 1 else name)
    return made


def find_skeletons(document: GltfDocument) -> list[GltfSkeleton]:
    """Return the skeletons: one, or one for each of several figures."""
    parents, order = order_nodes(document.nodes)
    joints = {joint for skin in document.skins for joint in skin.joints}
    if not joints:
        targets = [channel.target for animation in document.animations for channel in animation.channels]
        joints = {target.node for target in targets if target.node is not None and target.path in PATHS}
    for joint in list(joints):
        get_item(document.nodes, joint, "node")
        while (joint := parents[joint]) >= 0 and joint not in joints:
            joints.add(joint)
    if not joints:
        raise InputError("the file has no skeleton")
    check_motion_size(len(joints), 1)
    spoken = vrm_bone_names(document)
    names = {node: spoken.get(node) or document.nodes[node].name or f"node {node}" for node in joints}
    nodes = [node for node in order if node in joints]
    figures = split_figures(nodes, parents, names)
    if len(figures) < 2:
        return [build_skeleton(document, nodes, frozenset(nodes), parents, names)]
    return [
        build_skeleton(document, [node for node in nodes if node in below or node in above], below, parents, names)
        for below, above in ((figure, ancestors(min(figure, key=nodes.index), parents)) for figure in figures)
    ]


def split_figures(nodes: Sequence[int], parents: Sequence[int], names: Mapping[int, str]) -> list[frozenset[int]]:
    """Return the nodes of each figure if there are several.

    Figures are branches that are each a complete humanoid, or that have the same names as each other.

    Args:
        nodes: Nodes of all skeletons, parents before children.
        parents: Parents of all nodes, -1 for none.
        names: Names of the nodes.
    """
    children: dict[int, list[int]] = {}
    below: dict[int, frozenset[int]] = {}
    for node in reversed(nodes):
        below[node] = frozenset([node]).union(*(below[child] for child in children.get(node, ())))
        children[parents[node]] = [node, *children.get(parents[node], [])]

    def several(node: int) -> list[frozenset[int]]:
        whole = [node]
        while len(whole) == 1:
            large = [branch for branch in children.get(whole[0], []) if len(below[branch]) >= LEAST_JOINTS]
            whole = [branch for branch in large if is_figure(below[branch], names)] if len(large) > 1 else large
            if len(whole) < 2:
                whole = find_same_named(large, below, names) or whole
        return [figure for branch in whole for figure in several(branch) or [below[branch]]]

    return several(-1)


def find_same_named(
    branches: Sequence[int], below: Mapping[int, frozenset[int]], names: Mapping[int, str]
) -> list[int]:
    """Return the branches with the same names as another branch, apart from suffixes that exporters append.

    Args:
        branches: Topmost nodes.
        below: node -> it and its descendants.
        names: Names of the nodes.
    """
    spoken = [frozenset(COUNTED.sub("", names[node]) for node in below[branch] - {branch}) for branch in branches]
    return [
        b for b, own in zip(branches, spoken, strict=True) if len(own) >= LEAST_JOINTS - 1 and spoken.count(own) > 1
    ]


def is_figure(nodes: Collection[int], names: Mapping[int, str]) -> bool:
    """Return whether nodes include all required joints of a humanoid."""
    return len(nodes) >= LEAST_JOINTS and not missing_joints(match_bones([names[node] for node in nodes]))


def ancestors(node: int, parents: Sequence[int]) -> set[int]:
    """Return all ancestors of a node."""
    found: set[int] = set()
    while (node := parents[node]) >= 0:
        found.add(node)
    return found


def build_skeleton(
    document: GltfDocument, nodes: Sequence[int], own: frozenset[int], parents: Sequence[int], names: Mapping[int, str]
) -> GltfSkeleton:
    """Build a skeleton; see GltfSkeleton.

    Args:
        document: The document.
        nodes: Nodes of the skeleton, parents before children.
        own: Nodes that belong to no other skeleton.
        parents: Parents of all nodes, -1 for none.
        names: Names of the nodes.
    """
    place = {node: i for i, node in enumerate(nodes)}
    parts = [local_transform(document.nodes[node]) for node in nodes]
    local: dict[str, FloatArray] = {path: np.array([[part[path] for part in parts]], np.float64) for path in PATHS}
    for path, values in local.items():
        check_numbers(values, f"the nodes' {path}s")
    local["rotation"] = normalise(local["rotation"])
    label = names[next(node for node in nodes if node in own)]
    above = tuple(place.get(parents[node], -1) for node in nodes)
    return GltfSkeleton(tuple(nodes), tuple(names[node] for node in nodes), above, local, own, label)


def order_nodes(nodes: Sequence[GltfNode]) -> tuple[list[int], list[int]]:
    """Return each node's parent (-1 for none), and all nodes depth first.

    Raises:
        InputError: The nodes are not a forest.
    """
    parents = [-1] * len(nodes)
    for index, node in enumerate(nodes):
        for child in node.children:
            get_item(nodes, child, "node")
            if parents[child] >= 0:
                raise InputError(f"node {child} has two parents")
            parents[child] = index
    waiting = [index for index in reversed(range(len(nodes))) if parents[index] < 0]
    order = []
    while waiting:
        order.append(waiting.pop())
        waiting += reversed(nodes[order[-1]].children)
    if len(order) < len(nodes):
        raise InputError("the nodes form a cycle")
    return parents, order


def local_transform(node: GltfNode) -> dict[str, Sequence[float]]:
    """Return translation, rotation and scale of a node."""
    if node.matrix is None:
        return {"translation": node.translation, "rotation": node.rotation, "scale": node.scale}
    matrix = np.array(node.matrix).reshape(4, 4).T  # stored column by column
    scale = np.linalg.norm(matrix[:3, :3], axis=0)
    return {
        "translation": matrix[:3, 3].tolist(),
        "rotation": matrix_rotations(matrix).tolist(),
        "scale": scale.tolist(),
    }


def matrix_rotations(matrices: FloatArray) -> FloatArray:
    """Return the rotations (..., 4) of affine matrices (..., 4, 4) with scales.

    A mirrored matrix is negated first.
    """
    linear = matrices[..., :3, :3]
    linear = linear / np.maximum(np.linalg.norm(linear, axis=-2, keepdims=True), SMALL)
    mirrored = np.linalg.det(linear)[..., None, None] < 0
    return from_matrix(np.where(mirrored, -linear, linear))


def read_rest_pose(numbers: AccessorReader, joints: GltfSkeleton) -> tuple[Float64Array, Float64Array]:
    """Return the world positions (j, 3) and rotations (j, 4) at rest."""
    local = joints.local
    positions, rotations = world_transforms(joints.parents, local["translation"], local["rotation"], local["scale"])
    rest_positions, rest_rotations = positions[0].copy(), rotations[0].copy()
    for skin in reversed(numbers.document.skins):  # so that the first skin takes precedence
        bones = [i for i, node in enumerate(skin.joints) if node in joints.own]
        if skin.inverse_bind_matrices is not None and bones:
            indices = [joints.nodes.index(skin.joints[i]) for i in bones]
            bound = bind_in_world(bind_matrices(numbers, skin)[bones], joints, indices, positions[0], rotations[0])
            rest_positions[indices] = bound[:, :3, 3]
            rest_rotations[indices] = matrix_rotations(bound)
    return rest_positions, rest_rotations


def bind_matrices(numbers: AccessorReader, skin: GltfSkin) -> FloatArray:
    """Return the matrices (j, 4, 4) of a skin's joints at rest, in the mesh's frame."""
    assert skin.inverse_bind_matrices is not None
    inverse = numbers.read(skin.inverse_bind_matrices, "MAT4")
    if len(inverse) < len(skin.joints):
        raise InputError("a skin lacks inverse bind matrices")
    try:
        found = np.linalg.inv(inverse[: len(skin.joints)].reshape(-1, 4, 4).transpose(0, 2, 1))
    except np.linalg.LinAlgError:
        raise InputError("an inverse bind matrix can't be inverted") from None
    check_numbers(found, "the bind matrices")
    return found


def bind_in_world(
    bound: FloatArray, joints: GltfSkeleton, indices: list[int], positions: FloatArray, rotations: FloatArray
) -> FloatArray:
    """Convert bind matrices (k, 4, 4) to the world's frame.

    Some exporters bind in the world, others in the frame of the skeleton's parent, with its unit and axes. The frame is
    the one in which the bind pose is most similar to the pose of the nodes.

    Args:
        bound: (k, 4, 4) bind matrices.
        joints: The skeleton.
        indices: (k,) indices of the bound joints.
        positions: (j, 3) world positions of the nodes.
        rotations: (j, 4) world rotations of the nodes.
    """

    def misfit(frame: FloatArray) -> float:
        placed = frame @ bound
        turned = np.median(degrees_between(matrix_rotations(placed), rotations[indices]))
        sizes = [np.linalg.norm(np.std(points, 0)) + SMALL for points in (placed[:, :3, 3], positions[indices])]
        return float(turned / 90 + abs(np.log(sizes[0] / sizes[1])))

    above = joints.parents[min(indices)]
    return min(np.eye(4), world_matrix(joints, above), key=misfit) @ bound


def world_matrix(joints: GltfSkeleton, joint: int) -> FloatArray:
    """Return the world transform (4, 4) of a joint that is not animated, scales included; the identity for -1."""
    whole = np.eye(4)
    while joint >= 0:
        own = np.eye(4)
        own[:3, :3] = to_matrix(joints.local["rotation"][0, joint]) * joints.local["scale"][0, joint]
        own[:3, 3] = joints.local["translation"][0, joint]
        whole, joint = own @ whole, joints.parents[joint]
    return whole


def read_tracks(numbers: AccessorReader, animation: GltfAnimation, joints: GltfSkeleton) -> list[JointTrack]:
    """Return the tracks of an animation that move a skeleton; none where it moves none of the skeleton's own joints."""
    place = {node: i for i, node in enumerate(joints.nodes)}
    if not any(channel.target.node in joints.own and channel.target.path in PATHS for channel in animation.channels):
        return []
    tracks = []
    for channel in animation.channels:
        joint, kind = (
            place.get(-1 if channel.target.node is None else channel.target.node),
            PATHS.get(channel.target.path),
        )
        if joint is None or kind is None:
            continue
        sampler = get_item(animation.samplers, channel.sampler, "sampler")
        times = numbers.read(sampler.input, "SCALAR")[:, 0]
        keys = numbers.read(sampler.output, kind)
        if (np.diff(times) < 0).any():
            raise InputError(f"the key times of animation {animation.name!r} run backwards")
        if sampler.interpolation == "CUBICSPLINE":
            keys = keys[: len(keys) // 3 * 3].reshape(-1, 3, keys.shape[1])
        if len(keys) != len(times):
            raise InputError(f"animation {animation.name!r} has different numbers of times and keys")
        tracks.append(JointTrack(joint, channel.target.path, times, keys, sampler.interpolation))
    return tracks


def frame_times(tracks: Sequence[JointTrack]) -> tuple[float, int, float]:
    """Return the first time, the number of frames, and the frames per second."""
    times = np.unique(np.concatenate([track.times for track in tracks]))
    fps = find_frame_rate(times)
    return float(times[0]), int((times[-1] - times[0]) * fps + SLACK) + 1, fps


def build_take(
    name: str, joints: GltfSkeleton, rest: tuple[Float64Array, Float64Array], tracks: Sequence[JointTrack]
) -> Take:
    """Sample an animation at its frames.

    Args:
        name: Name of the take.
        joints: The skeleton.
        rest: Positions (j, 3) and rotations (j, 4) at rest.
        tracks: Tracks of the animation.
    """
    start, frames, fps = frame_times(tracks)
    moments = start + np.arange(frames) / fps
    local = {path: np.repeat(values, frames, 0) for path, values in joints.local.items()}
    for track in tracks:
        turns = track.path == "rotation"
        local[track.path][:, track.joint] = sample_keys(track.times, track.keys, moments, track.how, turns)
    positions, rotations = world_transforms(joints.parents, local["translation"], local["rotation"], local["scale"])
    return Take(name, joints.names, joints.parents, *rest, fps, positions, rotations)
