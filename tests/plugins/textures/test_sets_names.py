"""Names of files: maps, stems, groups, materials."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets_textures.materials import CLASSES
from ganassets_textures.sets.groups import UNKNOWN, group_files
from ganassets_textures.sets.names import MAP_WORDS, WEAK_WORDS, guess_material, interpret_name, tokens

VENDORS = {
    "ambientCG": (
        ["Bricks059_1K-JPG_Color.jpg", "Bricks059_1K-JPG_NormalDX.jpg", "Bricks059_1K-JPG_NormalGL.jpg",
         "Bricks059_1K-JPG_Displacement.jpg", "Bricks059_1K-JPG_Roughness.jpg", "Bricks059_1K-JPG_Metalness.jpg",
         "Bricks059_1K-JPG_AmbientOcclusion.jpg", "Bricks059.png"],
        "Bricks059", ["albedo", "normal", "normal", "height", "roughness", "metallic", None],
    ),
    "Poly Haven": (
        ["rusty_metal_05_diff_1k.jpg", "rusty_metal_05_nor_dx_1k.png", "rusty_metal_05_rough_1k.png",
         "rusty_metal_05_disp_1k.png", "rusty_metal_05_arm_1k.jpg", "rusty_metal_05_metal_1k.png",
         "rusty_metal_05_ao_1k.jpg"],
        "rusty_metal_05", ["albedo", "normal", "roughness", "height", "orm", "metallic"],
    ),
    "Poly Haven, colours to choose from": (
        ["fabric_pattern_07_col_1_1k.jpg", "fabric_pattern_07_col_2_1k.jpg", "fabric_pattern_07_nor_gl_1k.jpg"],
        "fabric_pattern_07", ["albedo", "albedo", "normal"],
    ),
    "cgbookcase": (
        ["WoodenPlanks01_2K_BaseColor.png", "WoodenPlanks01_2K_Normal.png", "WoodenPlanks01_2K_Height.png",
         "WoodenPlanks01_2K_Roughness.png", "WoodenPlanks01_2K_AO.png"],
        "WoodenPlanks01", ["albedo", "normal", "height", "roughness"],
    ),
    "Megascans": (
        ["qbDvr_2K_Albedo.jpg", "qbDvr_2K_Bump.jpg", "qbDvr_2K_Cavity.jpg", "qbDvr_2K_Gloss.jpg",
         "qbDvr_2K_Specular.jpg", "qbDvr_2K_Normal_LOD0.jpg", "qbDvr_2K_Preview.png"],
        "qbDvr", ["albedo", "height", "gloss", "specular", "normal"],
    ),
    "Unity": (
        ["Brick_AlbedoTransparency.png", "Brick_MaskMap.png", "Brick_Normal.png"], "Brick", ["albedo", "mask", "normal"]
    ),
    "Unity, older": (["Brick_Albedo.png", "Brick_MetallicSmoothness.png"], "Brick", ["albedo", "mask"]),
    "Unreal": (["T_Brick_D.tga", "T_Brick_N.tga", "T_Brick_ORM.tga"], "T_Brick", ["albedo", "normal", "orm"]),
    "glTF": (["pot_baseColor.png", "pot_metallicRoughness.png"], "pot", ["albedo", "orm"]),
    "older games": (
        ["wall01_d.tga", "wall01_local.tga", "wall01_s.tga", "wall01_h.tga", "wall01_gloss.tga"],
        "wall01", ["albedo", "normal", "specular", "height", "gloss"],
    ),
    "colour map without a word": (
        ["texture_bricks.jpg", "texture_bricks_nm.jpg", "texture_bricks_bump.jpg"],
        "texture_bricks", [None, "normal", "height"],
    ),
    "colour map with more words": (["metall-new-tileable.png", "metall-new-nm.png"], "metall-new", [None, "normal"]),
    "nothing but maps": (["normal.png", "metal.png", "albedo.png"], "", ["normal", "metallic", "albedo"]),
    "metal is no map here": (["rusty_metal.png", "rusty_metal_n.png"], "rusty_metal", [None, "normal"]),
    "words in front": (["Color_wall.png", "Normal_wall.png"], "wall", ["albedo", "normal"]),
    "packed terrain": (
        ["rock023_alb_ht.png", "rock023_nrm_rgh.png"], "rock023", ["albedo and height", "normal and roughness"]
    ),
    "Poliigon": (
        ["BricksFlemishRed001_COL_2K_METALNESS.png", "BricksFlemishRed001_NRM_2K_METALNESS.png",
         "BricksFlemishRed001_ROUGHNESS_2K_METALNESS.png", "BricksFlemishRed001_METALNESS_2K_METALNESS.png",
         "BricksFlemishRed001_DISP_2K_METALNESS.tiff", "BricksFlemishRed001_AO_2K_METALNESS.jpg"],
        "BricksFlemishRed001", ["albedo", "normal", "roughness", "metallic", "height"],
    ),
    "Poliigon, variants": (
        ["Rug01_COL_VAR1_3K_SPECULAR.jpg", "Rug01_COL_VAR2_3K_SPECULAR.jpg", "Rug01_NRM_3K_SPECULAR.jpg",
         "Rug01_GLOSS_3K_SPECULAR.jpg"],
        "Rug01", ["albedo", "albedo", "normal", "gloss"],
    ),
    "Materialize": (
        ["stucco_diffuse.png", "stucco_normal.png", "stucco_edge.png", "stucco_smoothness.png", "stucco_height.png"],
        "stucco", ["albedo", "normal", "gloss", "height"],
    ),
    "CC0 Textures, older": (
        ["Metal007_col.jpg", "Metal007_nrm.jpg", "Metal007_met.jpg", "Metal007_rgh.jpg", "Metal007_disp.jpg"],
        "Metal007", ["albedo", "normal", "metallic", "roughness", "height"],
    ),
    "Bedrock": (
        ["blackstone.png", "blackstone_normal.png", "blackstone_mer.png"], "blackstone", [None, "normal", "mer"]
    ),
    "Minecraft": (["andesite.png", "andesite_n.png", "andesite_s.png"], "andesite", [None, "normal", "specular"]),
    "Unreal, packed": (
        ["T_Crate_BC.tga", "T_Crate_N.tga", "T_Crate_MRAO.tga", "T_Crate_E.tga", "T_Crate_id.tga"],
        "T_Crate", ["albedo", "normal", "mra"],
    ),
    "Fab": (
        ["T_vd3_4K_B.jpg", "T_vd3_4K_N.jpg", "T_vd3_4K_ORM.jpg"], "T_vd3", [None, "normal", "orm"]
    ),
    "Substance": (
        ["Slate_Base_Color.png", "Slate_Normal_OpenGL.png", "Slate_Roughness.png", "Slate_Metallic.png",
         "Slate_Height.png", "Slate_Emissive_Color.png", "Slate_Bent_Normal.png"],
        "Slate", ["albedo", "normal", "roughness", "metallic", "height"],
    ),
    "maps called maps": (
        ["pine_ColorMap.png", "pine_RoughnessMap.png", "pine_NormalMap.png"], "pine", ["albedo", "roughness", "normal"]
    ),
    "a name that is not understood": (
        ["slab_diffuse.png", "slab_normal.png", "slab_glossy.png", "slab_foo_bar.png"],
        "slab", ["albedo", "normal", UNKNOWN, UNKNOWN],
    ),
    "not understood, in front": (
        ["diffuse_marl.png", "normal_marl.png", "glossy_marl.png"], "marl", ["albedo", "normal", UNKNOWN]
    ),
    "not understood, and no colours": (
        ["wool_normal.png", "wool_foo.png", "wool_bar.png"], "wool", ["normal", UNKNOWN, UNKNOWN]
    ),
    "German": (
        ["Ziegel_Farbe.png", "Ziegel_Normale.png", "Ziegel_Rauheit.png", "Ziegel_Höhe.png", "Ziegel_Metall.png"],
        "Ziegel", ["albedo", "normal", "roughness", "height", "metallic"],
    ),
    "German, accents taken apart": (
        ["Gehöft_Farbe.png", "Gehöft_Höhe.png".replace("ö", "o\u0308")], "Gehöft", ["albedo", "height"]
    ),
    "French": (
        ["mur_Couleur.png", "mur_Normale.png", "mur_Rugosité.png", "mur_Hauteur.png", "mur_Métallique.png"],
        "mur", ["albedo", "normal", "roughness", "height", "metallic"],
    ),
    "Spanish": (
        ["madera_Color.png", "madera_Normal.png", "madera_Rugosidad.png", "madera_Altura.png", "madera_Metálico.png"],
        "madera", ["albedo", "normal", "roughness", "height", "metallic"],
    ),
    "Italian": (
        ["muro_Colore.png", "muro_Normali.png", "muro_Rugosità.png", "muro_Altezza.png", "muro_Metallico.png"],
        "muro", ["albedo", "normal", "roughness", "height", "metallic"],
    ),
    "other letters": (["стена_diff.png", "стена_normal.png"], "стена", ["albedo", "normal"]),
}  # fmt: skip


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_vendors_names_make_one_set(vendor: str) -> None:
    names, title, kinds = VENDORS[vendor]
    (group,) = group_files(names)
    assert group.title == title
    by_name = {file.name: file.reading.kind for file in group.files}
    assert [by_name[name] for name in names if name in by_name] == kinds


def test_all_vendors_in_one_folder_stay_apart() -> None:
    alone = {frozenset(names): title for names, title, _ in VENDORS.values() if title not in ("Brick", "")}
    groups = group_files(name for names in alone for name in names)
    assert sorted(group.title for group in groups) == sorted(alone.values())


def test_folders_stay_apart() -> None:
    groups = group_files(["b/x/albedo.png", "b/x/normal.png", "a_color.png", "a_normal.png", "b/albedo.png"])
    assert [(group.folder, group.title, len(group.files)) for group in groups] == [
        ("", "a", 2),
        ("b", "", 1),
        ("b/x", "", 2),
    ]


@pytest.mark.parametrize(
    ("names", "sets"),
    [
        (["albedo/brick_01.png", "albedo/rock_02.png", "normal/brick_01.png", "normal/rock_02.jpg", "ao/rock_02.png"],
         {"brick_01": ["albedo", "normal"], "rock_02": ["albedo", "normal"]}),
        (["in/BaseColor/oak_BaseColor.png", "in/Roughness/oak_Roughness.png", "in/NormalGL/oak.png"],
         {"in/oak": ["albedo", "roughness", "normal"]}),
        (["moss/Color/1.png", "moss/Normal/2.png"], {"moss": ["albedo", "normal"]}),
        (["metal/a.png", "metal/b.png", "wood/a.png"], {"metal/a": [None], "metal/b": [None], "wood/a": [None]}),
        (["color/a.png", "color/c.png", "normal/b.png", "normal/d.png"],
         {"color/a": [None], "color/c": [None], "normal/b": ["normal"], "normal/d": ["normal"]}),
        (["in/color/c1.png", "in/color/c2.png", "in/ao/a1.png", "in/ao/a2.png", "in/roughness/r1.png"],
         {"in/color/c1": [None], "in/color/c2": [None], "in/roughness/r1": ["roughness"]}),
        (["AO/1.png", "AO/2.png"], {}),
        (["AO/wall.png", "AO/wall_normal.png", "AO/oak-new.png", "AO/oak_nm.png", "AO/a.png", "AO/a_preview.png"],
         {"AO/wall": [None, "normal"], "AO/oak": [None, "normal"]}),
    ],
)  # fmt: skip
def test_a_folder_for_each_map(names: list[str], sets: dict[str, list[str | None]]) -> None:
    found = {group.name: [file.reading.kind for file in group.files] for group in group_files(names)}
    assert {name: sorted(map(str, kinds)) for name, kinds in found.items()} == {
        name: sorted(map(str, kinds)) for name, kinds in sets.items()
    }


@pytest.mark.parametrize(
    ("names", "titles"),
    [
        (["1024_color.png", "1024_normal.png", "2048_color.png", "2048_normal.png"], ["1024", "2048"]),
        (["1024_bricks.png", "2048-wood.png", "1024_wood.png"], ["1024_bricks", "1024_wood", "2048-wood"]),
        (["2K_oak_color.png", "2K_oak_normal.png"], ["oak"]),
        (["door.png", "door_l.png", "door_r.png"], ["door", "door_l", "door_r"]),
        ([f"tile_{letter}.png" for letter in "abcdefghn"], [f"tile_{letter}" for letter in "abcdefghn"]),
        (["wall.png", "wall_normal.png", "wall_2.png"], ["wall", "wall_2"]),
        (["game_d.png", "game_s.png"], ["game"]),
    ],
)
def test_other_words_stay_in_the_name(names: list[str], titles: list[str]) -> None:
    assert [group.title for group in group_files(names)] == titles


def test_numbers_after_the_map_word_separate_sets() -> None:
    groups = group_files(["tiles_diffuse_01.png", "tiles_normal_01.png", "tiles_diffuse_02.png", "tiles_normal_02.png"])
    assert [(group.title, len(group.files)) for group in groups] == [("tiles_01", 2), ("tiles_02", 2)]


@pytest.mark.parametrize("names", [["metal.png", "wood.png"], ["wood_rough.png"], ["stone_base_2.png", "oak.png"]])
def test_weak_words_alone_name_no_map(names: list[str]) -> None:
    groups = group_files(names)
    assert len(groups) == len(names)
    assert {file.reading.kind for group in groups for file in group.files} == {None}


def test_ignored_maps_and_previews_make_no_set() -> None:
    assert group_files(["wall_ao.png", "Bricks_Preview.png", "emissive.jpg", "thumb.png", "wall_sphere.png"]) == []


@pytest.mark.parametrize(
    ("name", "convention"),
    [("a_NormalDX", "DX"), ("a_nor_dx_4k", "DX"), ("a_DirectX_Normal", "DX"), ("a_NRM_OpenGL", "GL"),
     ("a_normalgl", "GL"), ("a_Normal-OGL", "GL"), ("a_normal", None)],
)  # fmt: skip
def test_convention(name: str, convention: str | None) -> None:
    reading = interpret_name(name)[0]
    assert (reading.kind, reading.convention) == ("normal", convention)
    assert reading.stem == ("a",)


STRONG = [(word, kind) for kind, words in MAP_WORDS.items() for word in words]
STYLES = {"_": str.lower, "-": str.upper, ".": str.title, " ": str.lower, "": str.title}


@given(
    st.sampled_from(STRONG),
    st.lists(st.sampled_from(["1K", "2k", "8K", "JPG", "PNG", "2048", "tga"]), max_size=3),
    st.lists(st.sampled_from(["bricks", "oak", "cliff", "07", "old"]), min_size=1, max_size=3),
    st.sampled_from(sorted(STYLES)),
    st.randoms(use_true_random=False),
)
def test_any_order_case_and_separator(strong, sizes, stem, separator, random) -> None:
    word, kind = strong
    style = STYLES[separator]
    before = [*map(style, stem), *sizes]
    random.shuffle(before)
    while before[0] == "2048":  # a number that a name begins with is part of it
        before.append(before.pop(0))
    # Where there is no separator, the capital must do; numbers would run into each other.
    joint = separator or "_"
    name = joint.join(before) + separator + joint.join([style(word), *sizes])
    reading = interpret_name(name)[0]
    assert reading.kind == kind, name
    assert sorted(reading.stem) == sorted(stem)


@given(st.text(max_size=40))
def test_any_name_has_a_reading_without_map_that_keeps_its_words(name: str) -> None:
    found = interpret_name(name)
    assert found[-1].kind is None and found[-1].stem
    assert all(set(reading.stem) <= {*tokens(name), name.lower()} for reading in found)


@given(st.lists(st.text(alphabet="bdnhx_01.-", min_size=1, max_size=8).map(lambda s: s + ".png"), unique=True))
def test_every_file_lands_in_one_group(names: list[str]) -> None:
    files = [file.name for group in group_files(names) for file in group.files]
    assert sorted(files) == sorted(names)


def test_no_word_means_two_maps() -> None:
    words = [word for table in (MAP_WORDS, WEAK_WORDS) for kind in table.values() for word in kind]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("levels", "material"),
    [
        (["Bricks059"], "brick"),
        (["PavingStones131"], "cobble"),
        (["rusty_metal_05"], "rusted-metal"),
        (["rustymetal"], "rusted-metal"),
        (["PaintedMetal016"], "painted-metal"),
        (["dirt_floor"], "ground"),
        (["wooden_floor"], "plank"),
        (["floor"], "tile"),
        (["mossyrock"], "rock"),
        (["brushed-metal"], "brushed-metal"),
        (["qbDvr", "wall", "concrete"], "brick"),
        (["qbDvr", "2K", "Marbles"], "marble"),
        (["qbDvr", ""], None),
        ([], None),
    ],
)
def test_material(levels: list[str], material: str | None) -> None:
    assert guess_material(levels) == material


@pytest.mark.parametrize("name", CLASSES)
def test_classes_are_found_by_their_names(name: str) -> None:
    assert guess_material([f"My_{name}_03"]) == name
