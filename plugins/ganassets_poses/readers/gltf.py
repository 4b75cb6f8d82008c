"""Animations of skeletons in glTF files (GLB, or JSON with its buffers), also of several figures in one file."""

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
from .limits import check_numbers, check_size

# What a channel moves: the accessor's type.
PATHS = {"translation": "VEC3", "rotation": "VEC4", "scale": "VEC3"}
SMALL = 1e-12
LEAST_JOINTS = 11  # of a figure: as many as a humanoid needs
COUNTED = re.compile(r"[._]\d+$")  # what exporters append to names that there are twice


@dataclass(frozen=True, eq=False)
class JointTrack:
    """Key frames of one joint's translation, rotation or scale, as keys.sampled() takes them."""

    joint: int
    path: str
    times: FloatArray
    keys: FloatArray
    how: str


@dataclass(frozen=True, eq=False)
class GltfSkeleton:
    """The nodes that make up a skeleton.

    Attributes:
        own: those of the nodes that belong to no other skeleton of the file.
        label: name of the node that the skeleton hangs on.
        nodes: indices in the document, parents before children.
        names: of the nodes.
        parents: index of each one's parent among them, -1 for a root.
        local: by path, (1, j, c) values where nothing moves them.
    """

    nodes: tuple[int, ...]
    names: tuple[str, ...]
    parents: tuple[int, ...]
    local: dict[str, FloatArray]
    own: frozenset[int]
    label: str


def refuse_neighbours(name: str) -> bytes:
    """No file lies beside a file that is only bytes."""
    raise InputError(f"{name[:80]!r} beside the file can't be read; export it as one GLB")


def read_gltf(
    content: bytes, name: str, beside: Callable[[str], bytes] = refuse_neighbours, still: list[str] | None = None
) -> list[Take]:
    """All animations that move a skeleton of the file: the joints of its skins and what they hang on, or without skins
    the nodes that are animated. Several figures in a file are skeletons of their own, and an animation that moves
    several of them is a clip of each. At rest as the inverse bind matrices say where there are some, else as the nodes
    stand. Key frames that lie on even frames keep their rate, others become 30 frames a second.

    Args:
        content: of the GLB or glTF file.
        name: for animations that have none.
        beside: opens a file that a buffer names, relative to this one; InputError where there is none.
        still: names of animations that move no skeleton are appended.

    Raises:
        InputError: what is wrong with the file.
    """
    numbers = read_document(content, beside)
    document = numbers.document
    if not document.animations:
        raise InputError("the file has no animation")
    skeletons = [(joints, rest_pose(numbers, joints)) for joints in find_skeletons(document)]
    takes, frames = [], 0
    for index, animation in enumerate(document.animations):
        label = animation.name or (name if len(document.animations) == 1 else f"{name} {index + 1}")
        moved = [
            (*skeleton, tracks) for skeleton in skeletons if (tracks := read_tracks(numbers, animation, skeleton[0]))
        ]
        labels = number_duplicates([joints.label for joints, _, _ in moved])
        for (joints, rest, tracks), figure in zip(moved, labels, strict=True):
            frames += frame_times(tracks)[1]
            check_size(len(joints.nodes), frames)
            takes.append(build_take(f"{label} ({figure})" if len(moved) > 1 else label, joints, rest, tracks))
        if not moved and still is not None:
            still.append(label)
    if not takes:
        raise InputError("none of the file's animations moves a skeleton")
    return takes


def number_duplicates(names: Sequence[str]) -> list[str]:
    """The names, numbered where one occurs twice."""
    counts, seen = Counter(names), Counter[str]()
    made = []
    for name in names:
        seen[name] += 1
        made.append(f"{name} {seen[name]}" if counts[name] > 1 else name)
    return made


def find_skeletons(document: GltfDocument) -> list[GltfSkeleton]:
    """The skeletons: one, or those of several figures."""
    parents, order = order_nodes(document.nodes)
    wanted = {joint for skin in document.skins for joint in skin.joints}
    if not wanted:
        targets = [channel.target for animation in document.animations for channel in animation.channels]
        wanted = {target.node for target in targets if target.node is not None and target.path in PATHS}
    for joint in list(wanted):
        get_item(document.nodes, joint, "node")
        while (joint := parents[joint]) >= 0 and joint not in wanted:
            wanted.add(joint)
    if not wanted:
        raise InputError("the file has no skeleton")
    check_size(len(wanted), 1)
    spoken = vrm_bone_names(document)
    names = {node: spoken.get(node) or document.nodes[node].name or f"node {node}" for node in wanted}
    nodes = [node for node in order if node in wanted]
    figures = split_figures(nodes, parents, names)
    if len(figures) < 2:
        return [build_skeleton(document, nodes, frozenset(nodes), parents, names)]
    return [
        build_skeleton(document, [node for node in nodes if node in below or node in above], below, parents, names)
        for below, above in ((figure, ancestors(min(figure, key=nodes.index), parents)) for figure in figures)
    ]


def split_figures(nodes: Sequence[int], parents: Sequence[int], names: Mapping[int, str]) -> list[frozenset[int]]:
    """Nodes of each figure where there are several: branches that each are a whole humanoid, or that have the same
    names as each other.

    Args:
        nodes: parents before children.
        parents: of all nodes, -1 for none.
        names: of the nodes.
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
    """Those branches in which all names, but for what exporters append, are those of another one."""
    spoken = [frozenset(COUNTED.sub("", names[node]) for node in below[branch] - {branch}) for branch in branches]
    return [
        b for b, own in zip(branches, spoken, strict=True) if len(own) >= LEAST_JOINTS - 1 and spoken.count(own) > 1
    ]


def is_figure(nodes: Collection[int], names: Mapping[int, str]) -> bool:
    """Whether nodes are all that a humanoid needs."""
    return len(nodes) >= LEAST_JOINTS and not missing_joints(match_bones([names[node] for node in nodes]))


def ancestors(node: int, parents: Sequence[int]) -> set[int]:
    """What a node hangs on."""
    found: set[int] = set()
    while (node := parents[node]) >= 0:
        found.add(node)
    return found


def build_skeleton(
    document: GltfDocument, nodes: Sequence[int], own: frozenset[int], parents: Sequence[int], names: Mapping[int, str]
) -> GltfSkeleton:
    """A skeleton of nodes, of which `own` belong to no other one; see Joints."""
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
    """Each node's parent (-1: none), and all nodes depth first.

    Raises:
        InputError: the nodes are not a forest.
    """
    parents = [-1] * len(nodes)
    for index, node in enumerate(nodes):
        for child in node.children:
            get_item(nodes, child, "node")
            if parents[child] >= 0:
                raise InputError(f"node {child} hangs on two others")
            parents[child] = index
    waiting = [index for index in reversed(range(len(nodes))) if parents[index] < 0]
    order = []
    while waiting:
        order.append(waiting.pop())
        waiting += reversed(nodes[order[-1]].children)
    if len(order) < len(nodes):
        raise InputError("nodes hang on each other in a circle")
    return parents, order


def local_transform(node: GltfNode) -> dict[str, Sequence[float]]:
    """Translation, rotation and scale of a node."""
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
    """(..., 4) rotations of affine matrices (..., 4, 4) with scales; of mirrored ones those of the unmirrored."""
    linear = matrices[..., :3, :3]
    linear = linear / np.maximum(np.linalg.norm(linear, axis=-2, keepdims=True), SMALL)
    mirrored = np.linalg.det(linear)[..., None, None] < 0
    return from_matrix(np.where(mirrored, -linear, linear))


def rest_pose(numbers: AccessorReader, joints: GltfSkeleton) -> tuple[Float64Array, Float64Array]:
    """World positions (j, 3) and rotations (j, 4) at rest."""
    local = joints.local
    positions, rotations = world_transforms(joints.parents, local["translation"], local["rotation"], local["scale"])
    rest_positions, rest_rotations = positions[0].copy(), rotations[0].copy()
    for skin in reversed(numbers.document.skins):  # the first skin has the last word
        bones = [i for i, node in enumerate(skin.joints) if node in joints.own]
        if skin.inverseBindMatrices is not None and bones:
            indices = [joints.nodes.index(skin.joints[i]) for i in bones]
            bound = bind_in_world(bind_matrices(numbers, skin)[bones], joints, indices, positions[0], rotations[0])
            rest_positions[indices] = bound[:, :3, 3]
            rest_rotations[indices] = matrix_rotations(bound)
    return rest_positions, rest_rotations


def bind_matrices(numbers: AccessorReader, skin: GltfSkin) -> FloatArray:
    """(j, 4, 4) where the skin's joints are in the mesh's frame at rest."""
    assert skin.inverseBindMatrices is not None
    inverse = numbers.read(skin.inverseBindMatrices, "MAT4")
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
    """Bind matrices in the world's frame. Some exporters bind in the world, others in the frame that the skeleton
    hangs in, with its unit and its axes; which one it was shows in how the nodes stand.

    Args:
        bound: (k, 4, 4) bind matrices.
        joints: the skeleton.
        indices: (k,) of the joints that are bound.
        positions, rotations: (j, 3) and (j, 4) world transforms of the nodes as they stand.
    """

    def misfit(frame: FloatArray) -> float:
        placed = frame @ bound
        turned = np.median(degrees_between(matrix_rotations(placed), rotations[indices]))
        sizes = [np.linalg.norm(np.std(points, 0)) + SMALL for points in (placed[:, :3, 3], positions[indices])]
        return float(turned / 90 + abs(np.log(sizes[0] / sizes[1])))

    above = joints.parents[min(indices)]
    return min(np.eye(4), world_matrix(joints, above), key=misfit) @ bound


def world_matrix(joints: GltfSkeleton, joint: int) -> FloatArray:
    """(4, 4) world transform of a joint where nothing moves it, scales included; of -1 the identity."""
    whole = np.eye(4)
    while joint >= 0:
        own = np.eye(4)
        own[:3, :3] = to_matrix(joints.local["rotation"][0, joint]) * joints.local["scale"][0, joint]
        own[:3, 3] = joints.local["translation"][0, joint]
        whole, joint = own @ whole, joints.parents[joint]
    return whole


def read_tracks(numbers: AccessorReader, animation: GltfAnimation, joints: GltfSkeleton) -> list[JointTrack]:
    """What the animation does with the skeleton; nothing where it moves none of the skeleton's own joints."""
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
            raise InputError(f"animation {animation.name!r} has other numbers of times and of keys")
        tracks.append(JointTrack(joint, channel.target.path, times, keys, sampler.interpolation))
    return tracks


def frame_times(tracks: Sequence[JointTrack]) -> tuple[float, int, float]:
    """First time, number of frames and frames a second."""
    times = np.unique(np.concatenate([track.times for track in tracks]))
    fps = find_frame_rate(times)
    return float(times[0]), int((times[-1] - times[0]) * fps + SLACK) + 1, fps


def build_take(
    name: str, joints: GltfSkeleton, rest: tuple[Float64Array, Float64Array], tracks: Sequence[JointTrack]
) -> Take:
    """An animation's frames."""
    start, frames, fps = frame_times(tracks)
    moments = start + np.arange(frames) / fps
    local = {path: np.repeat(values, frames, 0) for path, values in joints.local.items()}
    for track in tracks:
        turns = track.path == "rotation"
        local[track.path][:, track.joint] = sample_keys(track.times, track.keys, moments, track.how, turns)
    positions, rotations = world_transforms(joints.parents, local["translation"], local["rotation"], local["scale"])
    return Take(name, joints.names, joints.parents, *rest, fps, positions, rotations)
