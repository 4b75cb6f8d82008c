"""A mesh as a glTF document, and what all documents share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ganassets.api.assets import Mesh, Provenance

from .binary import FLOAT, Binary, pack, to_json
from .frame import Frame, frame_of
from .materials import add_materials


def encode_mesh(mesh: Mesh, options: Mapping[str, Any]) -> bytes:
    """GLB of a mesh. glTF's axes, units and texture origin are those of the assets, so nothing is converted."""
    topology = mesh.topology
    rig = options["skin"] and bool(topology.joint_names)
    morphs = options["morphs"] and bool(topology.morph_names)
    frame = frame_of(topology, morphs, rig)
    binary = frame.binary.copy()
    document = {
        "asset": asset_of(mesh.provenance),
        "scene": 0,
        "scenes": [{"name": mesh.name, "nodes": [0]}],
        "nodes": [{"name": mesh.name, "mesh": 0}],
        "meshes": [{"name": mesh.name, "primitives": add_primitives(binary, mesh, frame)}],
        **add_materials(binary, mesh, frame.materials, options),
    }
    if morphs:
        document["meshes"][0]["extras"] = {"targetNames": list(topology.morph_names)}
    if rig:
        add_rig(document, binary, mesh)
    return pack_document(document, binary)


def pack_document(document: dict[str, Any], binary: Binary) -> bytes:
    """GLB of a document that lacks its accessors, buffer views and buffer yet."""
    whole = document | {"bufferViews": binary.views, "buffers": [{"byteLength": binary.size}]}
    text = f'{to_json(whole)[:-1]},"accessors":[{",".join(binary.accessors)}]}}'
    return pack(text.encode(), binary.blocks)


def asset_of(provenance: Provenance, **more: Any) -> dict[str, Any]:
    """GlTF's `asset` with the provenance, and more if given, in its extras."""
    if provenance.morph:
        more["morph"] = list(provenance.morph)
    if provenance.recipe:
        more["recipe"] = json.loads(provenance.recipe)
    return {
        "version": "2.0",
        "generator": provenance.software or "ganassets",
        "extras": {
            "generator": provenance.generator,
            "model_digest": provenance.model_digest,
            "seed": int(provenance.seed),
            "truncation": float(provenance.truncation),
            "sliders": {name: float(value) for name, value in provenance.sliders.items()},
            "licence": provenance.licence,
            **more,
        },
    }


def add_primitives(binary: Binary, mesh: Mesh, frame: Frame) -> list[dict[str, Any]]:
    """Append the mesh's own positions and normals; returns the primitives with them."""
    positions = binary.add_attribute(mesh.positions.take(frame.vertices, 0), "VEC3", frame.spans, bounds=True)
    normals = binary.add_attribute(mesh.normals.take(frame.vertices, 0), "VEC3", frame.spans)
    return [
        {**primitive, "attributes": {"POSITION": positions[k], "NORMAL": normals[k], **primitive["attributes"]}}
        for k, primitive in enumerate(frame.primitives)
    ]


def add_rig(document: dict[str, Any], binary: Binary, mesh: Mesh) -> None:
    """Put the skeleton below a node of its own beside the mesh, and bind the mesh to it."""
    topology, nodes = mesh.topology, document["nodes"]
    rig, first = len(nodes), len(nodes) + 1
    parents = topology.joint_parents
    nodes.append({"name": f"{mesh.name}-rig", "children": children_of(parents, -1, first)})
    for joint, (name, parent) in enumerate(zip(topology.joint_names, parents, strict=True)):
        offset = mesh.joints[joint] - mesh.joints[parent] if parent >= 0 else mesh.joints[joint]
        node = {"name": name, "translation": offset.tolist()}
        if children := children_of(parents, joint, first):
            node["children"] = children
        nodes.append(node)
    count = len(mesh.joints)
    inverse_bind = np.tile(np.eye(4, dtype=np.float32), (count, 1, 1))
    inverse_bind[:, 3, :3] = -mesh.joints  # column-major: the translation is the last row in memory
    view = binary.add_view(inverse_bind.tobytes())
    matrices = binary.add_accessor(bufferView=view, componentType=FLOAT, count=count, type="MAT4")
    nodes[0]["skin"] = 0
    document["scenes"][0]["nodes"].append(rig)
    document["skins"] = [
        {
            "name": f"{mesh.name}-rig",
            "joints": list(range(first, first + count)),
            "skeleton": rig,
            "inverseBindMatrices": matrices,
        }
    ]


def children_of(parents: Sequence[int], parent: int, first: int) -> list[int]:
    """Nodes of a joint's children (-1: of the roots), where joint 0 is node `first`."""
    return [first + joint for joint, above in enumerate(parents) if above == parent]
