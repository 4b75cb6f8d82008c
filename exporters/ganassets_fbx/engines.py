"""What each engine wants of an FBX, as a table.

All files are in centimetres with Y up, facing +Z, which is what FBX means where it says nothing else: both engines turn
and scale that to their own by themselves, and no node needs a rotation or a scale. The names for Unreal are those of
Epic's "Recommended asset naming conventions".
"""

from __future__ import annotations

from dataclasses import dataclass

from ganassets.api.assets import Mesh

CENTIMETRES = 100.0  # a metre


@dataclass(frozen=True)
class Engine:
    """One row.

    Attributes:
        rigged, rigid, clip: name of the file and of what is in it, for meshes with and without joints and for clips; {}
            is the asset's name.
        colour, roughness: names of a material's pictures; {} are the asset's and the material's name.
        smoothing: Blender's mesh_smooth_type. Unreal warns of files without smoothing groups.
        rig: bones of clips when no other is asked for.
    """

    rigged: str
    rigid: str
    clip: str
    colour: str
    roughness: str
    smoothing: str
    rig: str

    def mesh_name(self, mesh: Mesh, skin: bool) -> str:
        """Name of a mesh that is written with its joints, if it has any, or without."""
        return (self.rigged if skin and mesh.topology.joint_names else self.rigid).format(mesh.name)


ENGINES = {
    "unity": Engine("{}", "{}", "{}", "{}_{}_BaseMap", "{}_{}_Roughness", "OFF", "unity"),
    "unreal": Engine("SK_{}", "SM_{}", "A_{}", "T_{}_{}_BC", "T_{}_{}_R", "FACE", "unreal"),
}
