"""USD files are read back with USD's own library, validated, and compared with the asset."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganassets.api.assets import Asset, Exporter, Material, Mesh, MotionClip, Skeleton, TextureSet, Topology
from ganassets.api.errors import InputError
from ganassets.api.motion.kinematics import positions, rest_pose, world_pose
from ganassets.api.motion.rigs import RIGS
from ganassets.api.motion.skeletons import HUMANOID, HUMANOID_FINGERS
from ganassets.api.provenance import Provenance
from ganassets.api.rig_options import RIG_NAMES
from ganassets.api.writer import stems_of, write_files
from ganassets_usd import EXPORTER, USDZ
from ganassets_usd.files import pack_usdz
from support.heads import make_head
from support.motion_clips import random_clip, turned_skeleton, walk_clip
from support.random_meshes import random_meshes
from support.texture_sets import make_bricks, plain, random_texture_sets

pytest.importorskip("pxr")

from pxr import Ar, Gf, Sdf, Usd, UsdGeom, UsdShade, UsdSkel, UsdValidation

DEFAULTS = {option.name: option.default for option in EXPORTER.options}
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder for files that need a path."""
    return tmp_path_factory.mktemp("usd")


def write(folder: Path, asset: Asset, packed: bool = False, **options: object) -> Path:
    """Write an asset's files; returns the path of the first."""
    exporter = USDZ if packed else EXPORTER
    files = exporter.export(asset, DEFAULTS | options)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder / next(iter(files))


def opened(asset: Asset, packed: bool = False, **options: object) -> Iterator[Usd.Stage]:
    """Open the stage of an asset while its files exist."""
    with TemporaryDirectory() as folder:
        yield Usd.Stage.Open(str(write(Path(folder), asset, packed, **options)))


def validation_errors(stage: Usd.Stage) -> list[str]:
    """Collect the messages of all of USD's validators."""
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    assert len(validators) > 20
    return [error.GetErrorAsString() for error in UsdValidation.ValidationContext(validators).Validate(stage)]


def mesh_of(stage: Usd.Stage) -> UsdGeom.Mesh:
    """Return the stage's only mesh."""
    (mesh,) = (prim for prim in stage.Traverse() if prim.IsA(UsdGeom.Mesh))
    return UsdGeom.Mesh(mesh)


def queries(stage: Usd.Stage) -> tuple[UsdSkel.SkeletonQuery, UsdSkel.SkinningQuery]:
    """Query the stage's skeleton and its mesh's skin with UsdSkel."""
    root, cache = UsdSkel.Root(stage.GetDefaultPrim()), UsdSkel.Cache()
    assert root and cache.Populate(root, Usd.TraverseInstanceProxies())
    (binding,) = cache.ComputeSkelBindings(root, Usd.TraverseInstanceProxies())
    (target,) = binding.GetSkinningTargets()
    return cache.GetSkelQuery(binding.GetSkeleton()), target


def played(stage: Usd.Stage, frame: float) -> np.ndarray:
    """Compute (j, 4, 4) transforms of the joints in a frame, for row vectors."""
    return np.array(queries(stage)[0].ComputeJointSkelTransforms(frame))


def baked(stage: Usd.Stage, frame: float) -> np.ndarray:
    """Compute the (v, 3) positions to which USD moves the mesh's vertices."""
    stage = Usd.Stage.Open(stage.Flatten())
    UsdSkel.BakeSkinning(UsdSkel.Root(stage.GetDefaultPrim()), Gf.Interval(frame, frame))
    return np.array(mesh_of(stage).GetPointsAttr().Get(frame))


def faces_of(mesh: UsdGeom.Mesh) -> list[list[tuple[int, tuple[float, float]]]]:
    """List vertex and texture coordinate of each corner of each face."""
    uvs = UsdGeom.PrimvarsAPI(mesh).GetPrimvar("st").ComputeFlattened()
    corners = zip(mesh.GetFaceVertexIndicesAttr().Get(), map(tuple, uvs), strict=True)
    return [[next(corners) for _ in range(count)] for count in mesh.GetFaceVertexCountsAttr().Get()]


def shader(material: UsdShade.Material) -> UsdShade.Shader:
    """Return the shader of the surface."""
    return material.ComputeSurfaceSource()[0]


def texture_settings(surface: UsdShade.Shader, key: str) -> dict[str, Any]:
    """Read the settings of the texture that feeds an input, and the output that feeds it."""
    source, output, _ = surface.GetInput(key).GetConnectedSource()
    node = UsdShade.Shader(source)
    assert node.GetShaderId() == "UsdUVTexture"
    found = {item.GetBaseName(): item.Get() for item in node.GetInputs() if not item.HasConnectedSource()}
    reader, result, _ = node.GetInput("st").GetConnectedSource()
    assert UsdShade.Shader(reader).GetInput("varname").Get() == "st" and result == "result"
    return found | {"output": output, "file": found["file"].resolvedPath, "node": node}


def check_scene(stage: Usd.Stage, asset: Asset) -> None:
    """Check that the stage is valid, in metres, Y up, and has the asset's provenance."""
    assert validation_errors(stage) == []
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1 and UsdGeom.GetStageUpAxis(stage) == "Y"
    prim = stage.GetDefaultPrim()
    assert list(stage.GetPseudoRoot().GetChildren()) == [prim]
    notes = asset.provenance.keywords(asset.name)
    assert dict(prim.GetCustomDataByKey("ganassets")) == notes
    assert dict(stage.GetRootLayer().customLayerData["ganassets"]) == notes
    assert Usd.ModelAPI(prim).GetAssetName() == asset.name


def check_faces(stage: Usd.Stage, asset: Mesh) -> None:
    """Check that every face of at least three corners is there, with its UVs and its material."""
    topology, mesh = asset.topology, mesh_of(stage)
    uvs = [(float(u), float(v)) for u, v in np.stack([topology.uvs[:, 0], 1 - topology.uvs[:, 1]], -1)]
    expected, materials = [], []
    rows = zip(topology.faces.tolist(), topology.face_uvs.tolist(), topology.face_materials.tolist(), strict=True)
    for vertices, coordinates, material in rows:
        corners = {vertex: uvs[t] for vertex, t in reversed(list(zip(vertices, coordinates, strict=True)))}
        expected.append({vertex: corners[vertex] for vertex in vertices})
        materials.append(asset.materials[material].name)
    found = faces_of(mesh)
    assert [list(face.items()) for face in expected] == found
    assert [name.replace(" ", "_") for name in materials] == bound(mesh)


def bound(mesh: UsdGeom.Mesh) -> list[str]:
    """List the name of each face's material."""
    names: dict[int, Any] = {}
    subsets = UsdShade.MaterialBindingAPI(mesh).GetMaterialBindSubsets()
    for subset in subsets:
        material = UsdShade.MaterialBindingAPI(subset).ComputeBoundMaterial()[0]
        names |= dict.fromkeys(subset.GetIndicesAttr().Get(), material.GetPrim().GetName())
    count = len(mesh.GetFaceVertexCountsAttr().Get())
    if not subsets:
        names = dict.fromkeys(
            range(count), UsdShade.MaterialBindingAPI(mesh).ComputeBoundMaterial()[0].GetPrim().GetName()
        )
    return [names[face] for face in range(count)]


@settings(max_examples=60, deadline=None)
@given(random_meshes(), st.booleans())
def test_any_mesh_comes_back(asset: Mesh, packed: bool) -> None:
    for stage in opened(asset, packed):
        check_scene(stage, asset)
        check_faces(stage, asset)
        mesh = mesh_of(stage)
        assert np.array_equal(mesh.GetPointsAttr().Get(), asset.positions)
        assert np.array_equal(mesh.GetNormalsAttr().Get(), asset.normals)
        assert mesh.GetNormalsInterpolation() == "vertex" and mesh.GetSubdivisionSchemeAttr().Get() == "none"
        low, high = np.array(mesh.GetExtentAttr().Get())
        assert np.allclose(low, asset.positions.min(0)) and np.allclose(high, asset.positions.max(0))
        check_materials(mesh, asset)
        if asset.topology.joint_names:
            check_rig(stage, asset)
        if asset.topology.morph_names:
            check_shapes(stage, asset)


def check_materials(mesh: UsdGeom.Mesh, asset: Mesh) -> None:
    """Check that factors and textures are those of the asset."""
    stage, root = mesh.GetPrim().GetStage(), mesh.GetPrim().GetParent().GetPath()
    for k in set(asset.topology.face_materials.tolist()):
        material = asset.materials[k]
        surface = shader(UsdShade.Material(stage.GetPrimAtPath(f"{root}/materials/{material.name.replace(' ', '_')}")))
        assert surface.GetInput("metallic").Get() == pytest.approx(material.metallic)
        parts = {
            "diffuseColor": (material.base_colour, material.albedo, ("sRGB", "rgb")),
            "roughness": ((material.roughness,) * 3, material.roughness_map, ("raw", "r")),
        }
        for key, (factor, pixels, (space, output)) in parts.items():
            if pixels is None:
                assert np.allclose(surface.GetInput(key).Get(), factor if key == "diffuseColor" else factor[0])
                continue
            found = texture_settings(surface, key)
            assert (found["sourceColorSpace"], found["output"]) == (space, output)
            assert np.allclose(found["scale"], (*factor, 1)) and tuple(found["bias"]) == (0, 0, 0, 0)
            assert np.array_equal(pixels_of(found["file"]), pixels)


def pixels_of(path: str) -> np.ndarray:
    """Read an image in a folder or a package with USD's own resolver."""
    return np.asarray(Image.open(io.BytesIO(Ar.GetResolver().OpenAsset(Ar.ResolvedPath(path)).GetBuffer())))


def check_rig(stage: Usd.Stage, asset: Mesh) -> None:
    """Check the joints at rest, their binding, and which vertices they move."""
    topology = asset.topology
    skeleton, skin = queries(stage)
    assert list(UsdSkel.Skeleton(skeleton.GetPrim()).GetJointNamesAttr().Get()) == list(topology.joint_names)
    assert list(skeleton.GetTopology().GetParentIndices()) == list(topology.joint_parents)
    for transforms in (skeleton.ComputeJointSkelTransforms(0, atRest=True), skeleton.GetJointWorldBindTransforms()):
        assert np.allclose(np.array(transforms)[:, 3, :3], asset.joints, atol=1e-5)
    joints, weights = skin.ComputeJointInfluences()
    assert topology.skin_joints is not None and topology.skin_weights is not None
    assert np.array_equal(np.reshape(joints, (-1, 4)), topology.skin_joints)
    assert np.array_equal(np.reshape(weights, (-1, 4)), topology.skin_weights)


def check_shapes(stage: Usd.Stage, asset: Mesh) -> None:
    """Check that each blend shape, keyed alone, moves the mesh by its morph target."""
    names = [name.replace(" ", "_") for name in asset.topology.morph_names]
    assert asset.topology.morph_offsets is not None
    skeleton, skin = queries(stage)
    assert list(skin.GetBlendShapeOrder()) == names == list(skeleton.GetAnimQuery().GetBlendShapeOrder())
    weights = UsdSkel.Animation(skeleton.GetAnimQuery().GetPrim()).GetBlendShapeWeightsAttr()
    assert np.allclose(baked(stage, 0), asset.positions, atol=1e-5)
    for k, offsets in enumerate(asset.topology.morph_offsets):
        weights.Set([float(j == k) for j in range(len(names))])
        assert np.allclose(baked(stage, 0), asset.positions + offsets, atol=1e-5), names[k]


def test_a_head_comes_back(folder: Path) -> None:
    head = make_head(3)
    for packed in (False, True):
        stage = Usd.Stage.Open(str(write(folder, head, packed)))
        check_scene(stage, head)
        check_faces(stage, head)
        check_rig(stage, head)
        shapes = [prim for prim in stage.Traverse() if prim.IsA(UsdSkel.BlendShape)]
        assert [shape.GetName() for shape in shapes] == list(head.topology.morph_names) and len(shapes) == 52
        assert head.topology.morph_offsets is not None
        for shape, offsets in zip(map(UsdSkel.BlendShape, shapes), head.topology.morph_offsets, strict=True):
            found = np.zeros_like(offsets)
            found[np.array(shape.GetPointIndicesAttr().Get())] = shape.GetOffsetsAttr().Get()
            assert np.array_equal(found, offsets)
        assert set(mesh_of(stage).GetFaceVertexCountsAttr().Get()) <= {3, 4}


def test_faces_of_fewer_than_three_corners_are_left_out(folder: Path) -> None:
    faces = np.array([[0, 0, 1, 1], [0, 1, 2, 3], [2, 2, 2, 2]], np.int32)
    uvs, normals = np.zeros((1, 2), np.float32), np.tile(np.array([0, 0, 1], np.float32), (4, 1))
    points = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
    topology = Topology(faces, np.zeros_like(faces), np.array([0, 1, 0], np.int32), uvs, 4)
    none, materials = np.zeros((0, 3), np.float32), (Material("a"), Material("b"))
    stage = Usd.Stage.Open(str(write(folder, Mesh("folded", topology, points, normals, none, materials))))
    mesh = mesh_of(stage)
    assert [[vertex for vertex, _ in face] for face in faces_of(mesh)] == [[0, 1, 2, 3]] and bound(mesh) == ["b"]
    empty = replace(topology, faces=faces[:1], face_uvs=faces[:1] * 0, face_materials=np.zeros(1, np.int32))
    with pytest.raises(InputError, match="without faces"):
        USDZ.export(Mesh("empty", empty, points, normals, none, materials), DEFAULTS)


@settings(max_examples=40, deadline=None)
@given(random_texture_sets(), st.booleans())
def test_any_material_comes_back(asset: TextureSet, packed: bool) -> None:
    for stage in opened(asset, packed):
        check_scene(stage, asset)
        mesh = mesh_of(stage)
        (face,) = faces_of(mesh)
        points = np.array(mesh.GetPointsAttr().Get())
        assert np.allclose(np.ptp(points, 0), (*asset.size, 0), rtol=1e-5)
        upper_left = points[:, :2].min(0)[0], points[:, :2].max(0)[1]
        assert {tuple(points[vertex, :2]): uv for vertex, uv in face}[upper_left] == (0, 1)
        material = UsdShade.MaterialBindingAPI(mesh).ComputeBoundMaterial()[0]
        assert material.ComputeDisplacementSource()[0].GetPath() == shader(material).GetPath()
        expected = {
            "diffuseColor": (asset.albedo, 1 / 255),
            "normal": (asset.normal, 2 / 255),
            "displacement": (asset.height, np.ptp(asset.height) / 65535 + 1e-9),
            "roughness": (asset.roughness, 1 / 255),
            "metallic": (asset.metallic, 1 / 255),
            "occlusion": (asset.occlusion, 1 / 255),
        }
        for key, (values, step) in expected.items():
            found = texture_settings(shader(material), key)
            assert found["sourceColorSpace"] == ("sRGB" if key == "diffuseColor" else "raw")
            assert {found["wrapS"], found["wrapT"]} == {"repeat" if asset.tiles else "clamp"}
            pixels = pixels_of(found["file"])
            read = pixels / np.iinfo(pixels.dtype if pixels.dtype == np.uint8 else np.uint16).max
            channels = 3 if found["output"] == "rgb" else 1
            scale, bias = (np.array(found[name])[:channels] for name in ("scale", "bias"))
            read = read.reshape(*values.shape[:2], -1) * scale + bias
            assert abs(read - values.reshape(read.shape)).max() <= 0.51 * step, key


def test_normals_have_the_8_bits_of_the_specification(folder: Path) -> None:
    stage = Usd.Stage.Open(str(write(folder, make_bricks(16))))
    surface = shader(UsdShade.MaterialBindingAPI(mesh_of(stage)).ComputeBoundMaterial()[0])
    found = texture_settings(surface, "normal")
    assert tuple(found["scale"]) == (2, 2, 2, 1) and tuple(found["bias"]) == (-1, -1, -1, 0)


def test_the_validators_find_errors(folder: Path) -> None:
    stage = Usd.Stage.Open(str(write(folder, make_bricks(16))))
    surface = shader(UsdShade.MaterialBindingAPI(mesh_of(stage)).ComputeBoundMaterial()[0])
    texture_settings(surface, "normal")["node"].GetInput("bias").Set((0, 0, 0, 0))
    stage.ClearDefaultPrim()
    assert len(validation_errors(stage)) == 2


@settings(max_examples=12, deadline=None)
@given(seeds, st.integers(1, 20), st.sampled_from([HUMANOID, HUMANOID_FINGERS]), st.booleans())
def test_motion_comes_back(seed: int, frames: int, skeleton: Skeleton, turned: bool) -> None:
    rng = np.random.default_rng(seed)
    clip = random_clip(rng, frames, turned_skeleton(rng, skeleton) if turned else skeleton)
    for stage in opened(clip):
        check_scene(stage, clip)
        check_motion(stage, clip)
        names = UsdSkel.Skeleton(queries(stage)[0].GetPrim()).GetJointNamesAttr().Get()
        assert list(names) == list(clip.skeleton.names)


def check_motion(stage: Usd.Stage, clip: MotionClip) -> None:
    """Check that joints and mannequin move like the clip, one frame per time code."""
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (0, len(clip) - 1)
    assert stage.GetTimeCodesPerSecond() == stage.GetFramesPerSecond() == clip.fps
    places, turns = world_pose(clip.skeleton, clip.translation.astype(float), clip.rotations.astype(float))
    rest_places, rest_turns = rest_pose(clip.skeleton)
    skeleton, skin = queries(stage)
    assert np.allclose(np.array(skeleton.GetJointWorldBindTransforms()), matrices(rest_turns, rest_places), atol=1e-4)
    joints, weights = (np.reshape(values, (-1, 4)) for values in skin.ComputeJointInfluences())
    points = np.pad(np.array(mesh_of(stage).GetPointsAttr().Get()), [(0, 0), (0, 1)], constant_values=1)
    back = np.linalg.inv(matrices(rest_turns, rest_places))
    for frame in {0, len(clip) // 2, len(clip) - 1}:
        expected = matrices(turns[frame], places[frame])
        assert abs(played(stage, frame) - expected).max() < 1e-4
        moved = np.einsum("vi,vjik,vj->vk", points, (back @ expected)[joints], weights)[:, :3]
        assert abs(baked(stage, frame) - moved).max() < 1e-4


def matrices(turns: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Combine rotations (x, y, z, w) and positions to (j, 4, 4) for row vectors, with USD's own quaternions."""
    made = []
    for (x, y, z, w), place in zip(turns.tolist(), places.tolist(), strict=True):
        made.append(Gf.Matrix4d(Gf.Rotation(Gf.Quatd(w, x, y, z)), Gf.Vec3d(*place)))
    return np.array(made)


@pytest.mark.parametrize("rig", RIG_NAMES)
def test_every_rig_plays_it(folder: Path, rig: str) -> None:
    clip = walk_clip()
    stage = Usd.Stage.Open(str(write(folder, clip, rig=rig)))
    check_scene(stage, clip)
    names = list(UsdSkel.Skeleton(queries(stage)[0].GetPrim()).GetJointNamesAttr().Get())
    chosen = [names.index(RIGS[rig].bone_name(name)) for name in clip.skeleton.names]
    for frame in (0, 17, 60):
        assert abs(played(stage, frame)[chosen, 3, :3] - positions(clip)[frame]).max() < 1e-4
    body = baked(stage, 17)
    assert abs(body[:, 1].max() - body[:, 1].min() - 1.7) < 0.1 and abs(body[:, 2].mean() - 17 / 30 * 1.3) < 0.1


def test_in_place(folder: Path) -> None:
    stage = Usd.Stage.Open(str(write(folder, walk_clip(), root="in-place")))
    assert abs(played(stage, 60)[0, 3, 2]) < 1e-6 and played(stage, 60)[0, 3, 1] > 0.8


ASSETS = {"head": lambda: make_head(3, 32), "bricks": lambda: make_bricks(16), "walk": walk_clip}


@pytest.mark.parametrize("asset", ASSETS)
def test_text_and_binary_are_equal(folder: Path, asset: str) -> None:
    made = ASSETS[asset]()
    text = write(folder, made, format="usda")
    assert text.read_bytes().startswith(b"#usda 1.0\n")
    layers = [Sdf.Layer.FindOrOpen(str(path)) for path in (text, write(folder, made))]
    assert layers[0].ExportToString() == layers[1].ExportToString()


def digests(exporter: Exporter, asset: str) -> dict[str, str]:
    """Export an asset; returns the SHA-256 of its files by name."""
    files = exporter.export(ASSETS[asset](), DEFAULTS)
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


@pytest.fixture(scope="module")
def other_process() -> dict[str, dict[str, str]]:
    """Let another process export all assets; returns the digests by exporter and asset."""
    code = (
        "import json, sys, time; sys.path.insert(0, 'tests'); time.sleep(2)\n"  # the clock of zip files ticks every 2 s
        "from exporters.test_usd import ASSETS, EXPORTER, USDZ, digests\n"
        "print(json.dumps({f'{exporter.name} {asset}': digests(exporter, asset)\n"
        "    for exporter in (EXPORTER, USDZ) for asset in ASSETS}))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=False)
    assert not done.returncode, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("exporter", [EXPORTER, USDZ], ids=lambda e: e.name)
@pytest.mark.parametrize("asset", ASSETS)
def test_another_process_makes_the_same_bytes(
    exporter: Exporter, asset: str, other_process: dict[str, dict[str, str]]
) -> None:
    assert list(digests(exporter, asset).items()) == list(other_process[f"{exporter.name} {asset}"].items())


@given(st.dictionaries(st.text("abcäß-_.", min_size=1, max_size=90), st.binary(max_size=200), min_size=1, max_size=9))
def test_packages_are_aligned(files: dict[str, bytes]) -> None:
    content = pack_usdz(files)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files
        for entry in archive.infolist():
            name, extra = struct.unpack_from("<HH", content, entry.header_offset + 26)
            assert (entry.header_offset + 30 + name + extra) % 64 == 0
            assert entry.compress_type == zipfile.ZIP_STORED


def test_a_package_holds_everything(folder: Path) -> None:
    path = write(folder, make_bricks(16), packed=True)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    assert names[0] == "bricks.usdc" and set(names[1:]) == set(EXPORTER.export(make_bricks(16), DEFAULTS)) - {names[0]}
    assert list(Sdf.ZipFile.Open(str(path)).GetFileNames()) == names


def test_the_recipe_goes_into_every_file(folder: Path) -> None:
    recipe = '{"generator": "textures", "seed": 7, "words": "ä\\n"}'
    asset = replace(plain(), provenance=Provenance(seed=7, recipe=recipe))
    for stage in opened(asset):
        check_scene(stage, asset)
        assert stage.GetDefaultPrim().GetCustomDataByKey("ganassets:Recipe") == recipe
    files = EXPORTER.export(asset, DEFAULTS)
    pictures = [Image.open(io.BytesIO(content)) for name, content in files.items() if name.endswith(".png")]
    assert len(pictures) == 6 and {picture.text["Recipe"] for picture in pictures} == {recipe}  # type: ignore[attr-defined]


def test_names_that_usd_does_not_allow(folder: Path) -> None:
    head = make_head(3, 16)
    pictures = [np.full((2, 2, 3), shade, np.uint8) for shade in (10, 20, 30)]
    names = zip(("a b", "a_b", "A_B"), pictures, head.materials, strict=True)
    odd = tuple(replace(material, name=name, albedo=picture) for name, picture, material in names)
    asset = replace(head, name="7 heads", materials=odd)
    stage = Usd.Stage.Open(str(write(folder, asset)))
    check_scene(stage, asset)
    assert stage.GetDefaultPrim().GetName() == "_7_heads"
    materials = [UsdShade.Material(prim) for prim in stage.Traverse() if prim.IsA(UsdShade.Material)]
    assert [material.GetPrim().GetName() for material in materials] == ["a_b", "a_b_2", "A_B_3"]
    for material, picture in zip(materials, pictures, strict=True):
        assert np.array_equal(pixels_of(texture_settings(shader(material), "diffuseColor")["file"]), picture)


def test_the_writer_accepts_the_names(tmp_path: Path) -> None:
    for exporter in (EXPORTER, USDZ):
        for make in ASSETS.values():
            asset = make()
            files = exporter.export(asset, DEFAULTS)
            assert all(asset.name in stems_of(name) for name in files)
            assert len(write_files(tmp_path / exporter.name, files)) == len(files)


APPLE_PRIMS = {
    "BlendShape", "GeomSubset", "Material", "Mesh", "Scope", "Shader", "SkelAnimation", "SkelRoot", "Skeleton", "Xform",
}  # fmt: skip
APPLE_SHADERS = {"UsdPreviewSurface", "UsdUVTexture", "UsdPrimvarReader_float2"}


@pytest.mark.parametrize("asset", ASSETS)
def test_packages_hold_only_what_apples_viewers_support(folder: Path, asset: str) -> None:
    path = write(folder, ASSETS[asset](), packed=True)
    with zipfile.ZipFile(path) as archive:
        layer, *pictures = archive.namelist()
        assert archive.read(layer).startswith(b"PXR-USDC") and all(name.endswith(".png") for name in pictures)
    stage = Usd.Stage.Open(str(path))
    assert {prim.GetTypeName() for prim in stage.Traverse()} <= APPLE_PRIMS
    nodes = [UsdShade.Shader(prim) for prim in stage.Traverse() if prim.IsA(UsdShade.Shader)]
    assert nodes and {node.GetShaderId() for node in nodes} <= APPLE_SHADERS


def test_it_says_how_to_install_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pxr", None)
    with pytest.raises(InputError, match=r"pip install 'ganassets\[usd\]'"):
        EXPORTER.export(plain(), DEFAULTS)
