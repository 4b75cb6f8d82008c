"""Game engines and 3-D programs as rows of one table. Loads neither numpy nor Pillow.

To support another engine, add a row to ENGINES: all exporters read it. If its materials should have a `--to` of their
own, also declare an exporter in `ganassets_images` and its entry point. The facts come from:

- glTF: specification 2.0, sections 3.4 and 3.9.
- Blender: one image for each input of the Principled BSDF.
- Unity: the mask map of HDRP's and URP's Lit shaders.
- Unreal: Epic's "Recommended asset naming conventions"; occlusion, roughness and metallic in one texture.
- Godot: ORMMaterial3D.
"""

from __future__ import annotations

from dataclasses import dataclass

# Channels of texture files; `ganassets.api.images.texture_maps.CHANNELS` says what each holds.
COLOUR = ("red", "green", "blue")
NORMAL = ("normal x", "normal y", "normal z")
ORM = ("occlusion", "roughness", "metallic")
# Unity reads the third channel as detail mask, where 0.5 changes nothing.
MASK = ("metallic", "occlusion", "half", "smoothness")
HEIGHT = ("height",)


@dataclass(frozen=True)
class TextureFile:
    """One image file of a material.

    Attributes:
        name: File name without suffix; {} is the asset's name.
        channels: Keys of `ganassets.api.images.texture_maps.CHANNELS`: one for grey, three for RGB, four for RGBA.

    >>> file = TextureFile("{}_roughness", ("roughness",))
    >>> file.name.format("brick"), file.is_colour
    ('brick_roughness', False)
    """

    name: str
    channels: tuple[str, ...]

    @property
    def is_colour(self) -> bool:
        """Whether the image is sRGB colour; all others are linear data."""
        return self.channels == COLOUR


@dataclass(frozen=True)
class Engine:
    """Conventions of one engine for the files that it imports.

    Attributes:
        title: The engine's name in texts.
        textures: Image files of a material, in the order in which they are written.
        normal_y: Sign of a normal map's green channel: 1 where green points up (OpenGL), -1 where it points down
            (DirectX).
        up: Axis that points up, "Y" or "Z".
        front: Axis that the front of an imported asset faces, "+Z".
        handedness: Handedness of the axes, "right" or "left".
        units_per_metre: Lengths of the engine in a metre.
        rig: Rig of its characters, one of `ganassets.api.rig_options.RIG_NAMES`.
        skinned_mesh: Name of a mesh with a skeleton; {} is the asset's name.
        static_mesh: Name of a mesh without a skeleton; {} is the asset's name.
        animation: Name of a motion clip; {} is the asset's name.
        mesh_albedo: Name of the albedo texture inside a mesh file; {} are the asset's and the material's name.
        mesh_roughness: Name of the roughness texture inside a mesh file; {} as in mesh_albedo.
        fbx_smoothing: Smoothing groups that Blender's FBX writer adds (its mesh_smooth_type), or "" for engines that
            the FBX exporter doesn't write for.

    >>> unreal = ENGINES["unreal"]
    >>> unreal.up, unreal.normal_y, unreal.units_per_metre, unreal.static_mesh.format("crate")
    ('Z', -1, 100.0, 'SM_crate')
    """

    title: str
    textures: tuple[TextureFile, ...]
    rig: str
    normal_y: int = 1
    up: str = "Y"
    front: str = "+Z"
    handedness: str = "right"
    units_per_metre: float = 1.0
    skinned_mesh: str = "{}"
    static_mesh: str = "{}"
    animation: str = "{}"
    mesh_albedo: str = "{}_{}_albedo"
    mesh_roughness: str = "{}_{}_roughness"
    fbx_smoothing: str = ""

    @property
    def renames_files(self) -> bool:
        """Whether files of meshes and clips have other names than their assets."""
        return {self.skinned_mesh, self.static_mesh, self.animation} != {"{}"}


ENGINES: dict[str, Engine] = {
    "gltf": Engine(
        title="glTF",
        textures=(
            TextureFile("{}_baseColor", COLOUR),
            TextureFile("{}_normal", NORMAL),
            TextureFile("{}_orm", ORM),
            TextureFile("{}_height", HEIGHT),
        ),
        rig="vrm",
    ),
    "blender": Engine(
        title="Blender",
        textures=(
            TextureFile("{}_albedo", COLOUR),
            TextureFile("{}_normal", NORMAL),
            TextureFile("{}_roughness", ("roughness",)),
            TextureFile("{}_metallic", ("metallic",)),
            TextureFile("{}_ao", ("occlusion",)),
            TextureFile("{}_height", HEIGHT),
        ),
        rig="mixamo",
        up="Z",
        front="-Y",
    ),
    "unity": Engine(
        title="Unity",
        textures=(
            TextureFile("{}_BaseMap", COLOUR),
            TextureFile("{}_Normal", NORMAL),
            TextureFile("{}_MaskMap", MASK),
            TextureFile("{}_Height", HEIGHT),
        ),
        rig="unity",
        handedness="left",
        mesh_albedo="{}_{}_BaseMap",
        mesh_roughness="{}_{}_Roughness",
        fbx_smoothing="OFF",
    ),
    "unreal": Engine(
        title="Unreal",
        textures=(
            TextureFile("T_{}_BC", COLOUR),
            TextureFile("T_{}_N", NORMAL),
            TextureFile("T_{}_ORM", ORM),
            TextureFile("T_{}_H", HEIGHT),
        ),
        rig="unreal",
        normal_y=-1,
        up="Z",
        front="+X",
        handedness="left",
        units_per_metre=100.0,
        skinned_mesh="SK_{}",
        static_mesh="SM_{}",
        animation="A_{}",
        mesh_albedo="T_{}_{}_BC",
        mesh_roughness="T_{}_{}_R",
        fbx_smoothing="FACE",  # Unreal warns of files without smoothing groups
    ),
    "godot": Engine(
        title="Godot",
        textures=(
            TextureFile("{}_albedo", COLOUR),
            TextureFile("{}_normal", NORMAL),
            TextureFile("{}_orm", ORM),
            TextureFile("{}_height", HEIGHT),
        ),
        rig="godot",
    ),
}
