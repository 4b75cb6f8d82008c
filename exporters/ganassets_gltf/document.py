"""Write a mesh as a glTF document, and the parts that all documents have."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ganassets.api.assets import Mesh
from ganassets.api.provenance import Provenance

from .binary import FLOAT, BinaryChunk, compact_json, pack_glb
from .materials import add_materials
from .mesh_template import MeshTemplate, cached_template


def encode_mesh(mesh: Mesh, options: Mapping[str, Any]) -> bytes:
    """Encode a mesh as GLB. glTF's axes, units and texture origin are those of the assets, so nothing is converted."""
    topology = mesh.topology
    rig = options["skin"] and bool(topology.joint_names)
    morphs = options["morphs"] and bool(topology.morph_names)
    template = cached_template(topology, morphs, rig)
    binary = template.binary.copy()
    document = {
        "asset": describe_asset(mesh.provenance),
        "scene": 0,
        "scenes": [{"name": mesh.name, "nodes": [0]}],
        "nodes": [{"name": mesh.name, "mesh": 0}],
        "meshes": [{"name": mesh.name, "primitives": add_primitives(binary, mesh, template)}],
        **add_materials(binary, mesh, template.materials, options),
    }
    if morphs:
        document["meshes"][0]["extras"] = {"targetNames": list(topology.morph_names)}
    if rig:
        add_rig(document, binary, mesh)
    return pack_document(document, binary)


def pack_document(document: dict[str, Any], binary: BinaryChunk) -> bytes:
    """Encode a document as GLB; its accessors, buffer views and buffer come from the binary chunk."""
    complete = document | {"bufferViews": binary.views, "buffers": [{"byteLength": binary.size}]}
    text = f'{compact_json(complete)[:-1]},"accessors":[{",".join(binary.accessors)}]}}'
    return pack_glb(text.encode(), binary.blocks)


def describe_asset(provenance: Provenance, **extras: Any) -> dict[str, Any]:
    """Write glTF's `asset` with the provenance and further extras."""
    if provenance.morph:
        extras["morph"] = list(provenance.morph)
    if provenance.recipe:
        extras["recipe"] = json.loads(provenance.recipe)
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
            **extras,
        },
    }


def add_primitives(binary: BinaryChunk, mesh: Mesh, template: MeshTemplate) -> list[dict[str, Any]]:
    """Append the mesh's positions and normals and return its primitives."""
    positions = binary.add_attribute(mesh.positions.take(template.vertices, 0), "VEC3", template.spans, bounds=True)
    normals = binary.add_attribute(mesh.normals.take(template.vertices, 0), "VEC3", template.spans)
    return [
        {**primitive, "attributes": {"POSITION": positions[k], "NORMAL": normals[k], **primitive["attributes"]}}
        for k, primitive in enumerate(template.primitives)
    ]


def add_rig(document: dict[str, Any], binary: BinaryChunk, mesh: Mesh) -> None:
    """Append the skeleton below a node beside the mesh, and bind the mesh to it."""
    topology, nodes = mesh.topology, document["nodes"]
    rig, first = len(nodes), len(nodes) + 1
    parents = topology.joint_parents
    nodes.append({"name": f"{mesh.name}-rig", "children": child_nodes(parents, -1, first)})
    for joint, (name, parent) in enumerate(zip(topology.joint_names, parents, strict=True)):
        offset = mesh.joints[joint] - mesh.joints[parent] if parent >= 0 else mesh.joints[joint]
        node = {"name": name, "translation": offset.tolist()}
        if children := child_nodes(parents, joint, first):
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


def child_nodes(parents: Sequence[int], parent: int, first: int) -> list[int]:
    """List the nodes of a joint's children.

    Args:
        parents: Index of each joint's parent; -1 for a root.
        parent: The joint, or -1 for the roots.
        first: Node of joint 0; the other joints' nodes follow it.
    """
    return [first + joint for joint, above in enumerate(parents) if above == parent]
