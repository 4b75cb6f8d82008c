"""Discovery of plugins: a broken one does not hide the others."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

from ganassets.api.errors import InputError
from ganassets.api.registry import _MOVED_MODULES, find_exporters, find_generators, load_exporter, load_generator

BROKEN = {
    "raises": ("raise ValueError('no luck\\nsecond line')", "fails on import (ValueError: no luck)."),
    "exits": ("import sys; sys.exit('bye')", "fails on import (SystemExit: bye)."),
    "lacks_import": ("import no_such_module_anywhere", "No module named 'no_such_module_anywhere'"),
    "old_name": ("import ganassets.spec", "ganassets.spec is ganassets.api.spec now; change the import"),
    "syntax": ("def (:", "SyntaxError"),
    "recursion": ("def f(): f()\nf()", "RecursionError"),
    "no_spec": ("", "has no attribute 'SPEC'"),
    "foreign": ("SPEC = 5", "is of type int, not GeneratorSpec."),
    "base_exception": (
        "class Stop(BaseException): pass\nraise Stop('no more')",
        "fails on import (Stop: no more).",
    ),
    "generator_exit": ("raise GeneratorExit", "fails on import (GeneratorExit)."),
    "unprintable": (
        "class E(Exception):\n    def __str__(self): raise RuntimeError\nraise E",
        "fails on import (E).",
    ),
}


def test_moved_modules_exist_by_their_new_names_only():
    assert all(find_spec(new) for new in _MOVED_MODULES.values())
    assert not any(find_spec(old) for old in _MOVED_MODULES)


def spec_text(name: str, api: str = "1", fields: str = "") -> str:
    """Source of the smallest generator."""
    return (
        "from ganassets.api.spec import GeneratorSpec, Preset\n"
        "PRESET = Preset('quick', 'At once.', 4, 4, 1.0)\n"
        f"SPEC = GeneratorSpec({name!r}, 's', '1', {api}, 'mesh', (), (), (), (PRESET,), "
        f"*[lambda *a: None] * 4{fields})\n"
    )


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_is_a_record_and_the_others_load(squares, kind):
    text, message = BROKEN[kind]
    squares.generator("broken", f"module_{kind}", text)
    broken, good = find_generators()
    assert (broken.name, good.name) == ("broken", "squares")
    assert broken.plugin is None
    assert message in broken.error
    assert broken.where == f"dist-module_{kind} 1.0"
    assert broken.traceback == "" if kind == "foreign" else "Traceback" in broken.traceback
    assert good.plugin is not None
    assert good.error == good.traceback == ""
    assert load_generator("squares") is good.plugin
    with pytest.raises(InputError, match="'broken' of dist-module_"):
        load_generator("broken")


WRONG_FIELDS = {
    "settings=None": "settings must be a tuple of Option, not None.",
    "settings='ab'": "settings must be a tuple of Option, not a str.",
    "data_options=(5,)": "data_options must be a tuple of DataOption, but holds an int.",
    "exporter=None": "exporter must be a text, not None.",
    "static_digests=None": "static_digests must be a function, not None.",
    "noise=3": "noise must be a function or None, not an int.",
}


@pytest.mark.parametrize("field", WRONG_FIELDS)
def test_a_field_of_a_wrong_type_is_reported_and_other_plugins_load(squares, field):
    squares.generator("wrong", f"module_field_{abs(hash(field))}", spec_text("wrong", fields=f", {field}"))
    records = {record.name: record for record in find_generators()}
    message = f"generator 'wrong' of {records['wrong'].where} can't be used: {WRONG_FIELDS[field]}"
    assert records["wrong"].error == message
    assert records["squares"].plugin is not None


@pytest.mark.parametrize(
    ("kinds", "message"), [("None", "not None."), ("'mesh'", "not a str."), ("(1,)", "holds an int.")]
)
def test_an_exporter_of_wrong_fields_spoils_no_other(squares, kinds, message):
    text = (
        "from ganassets.api.assets import Exporter\n"
        f"EXPORTER = Exporter('odd', 's', 1, {kinds}, ('.x',), lambda asset, options: {{}})\n"
    )
    module = f"module_kinds_{abs(hash(kinds))}"
    squares.install("odd-kinds", f"[ganassets.exporters]\nodd = {module}:EXPORTER\n", {module: text})
    records = {record.name: record for record in find_exporters()}
    assert "kinds must be a tuple of str" in records["odd"].error and records["odd"].error.endswith(message)
    assert records["raw"].plugin is not None


def test_ctrl_c_during_an_import_is_not_swallowed(plugin_path):
    plugin_path.generator("slow", "module_slow", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        find_generators()


@pytest.mark.parametrize(("api", "update"), [("2", "update ganassets"), ("0", "update dist-"), ("'1'", "update dist-")])
def test_another_api_version_is_reported(plugin_path, api, update):
    module = f"module_api_{abs(hash(api))}"
    plugin_path.generator("other", module, spec_text("other", api))
    (record,) = find_generators()
    assert record.plugin is None
    assert f"plugin API {api.strip(chr(39))}, this program has 1; {update}" in record.error


def test_a_name_that_is_not_the_entry_points_is_reported(plugin_path):
    plugin_path.generator("one", "module_named_two", spec_text("two"))
    (record,) = find_generators()
    assert "calls itself 'two'" in record.error


def test_two_distributions_with_one_name_fail_for_that_name_alone(squares):
    squares.generator("twin", "module_twin_a", spec_text("twin"), "first-package")
    squares.generator("twin", "module_twin_b", spec_text("twin"), "second-package")
    records = {record.name: record for record in find_generators()}
    assert records["squares"].plugin is not None
    assert records["twin"].plugin is None
    with pytest.raises(InputError, match=r"'twin' comes from first-package 1\.0 and from second-package 1\.0"):
        load_generator("twin")
    assert load_generator("squares").name == "squares"


def test_one_distribution_found_twice_is_one(plugin_path):
    plugin_path.generator("one", "module_once", spec_text("one"), "same-package")
    plugin_path.install("same-package", "[ganassets.generators]\none = gone:SPEC\n", version="0.9")
    assert len(find_generators()) == 1


def test_a_broken_list_of_entry_points_spoils_nothing_else(squares):
    squares.install("scribbles", "[ganassets.generators]\nthis is no entry point\n[broken\n\x00")
    records = {record.name: record for record in find_generators()}
    assert "broken line in its entry points" in records["this is no entry point"].error
    assert records["squares"].plugin is not None


def test_metadata_without_a_name_or_not_text_spoils_nothing_else(squares):
    nameless = squares.folder / "nameless-1.dist-info"
    nameless.mkdir()
    (nameless / "entry_points.txt").write_text("[ganassets.generators]\nnobodys = nowhere:SPEC\n")
    binary = squares.folder / "binary-1.dist-info"
    binary.mkdir()
    (binary / "entry_points.txt").write_bytes(b"[ganassets.generators]\n\xff\xfe = \x80")
    names = {record.name for record in find_generators()}
    assert {"nobodys", "squares"} <= names


def test_loading_one_imports_no_other(squares):
    squares.generator("bystander", "module_bystander", "raise SystemExit")
    load_generator("squares")
    assert "module_bystander" not in sys.modules
    load_exporter("raw")


@pytest.mark.parametrize(
    ("name", "advice"), [("sqares", "did you mean 'squares'?"), ("zzz", "choose from squares."), ("", "choose from")]
)
def test_an_unknown_name_gets_the_nearest(squares, name, advice):
    with pytest.raises(InputError, match="there is no generator") as caught:
        load_generator(name)
    assert advice in str(caught.value)


def test_nothing_installed(plugin_path):
    assert find_generators() == find_exporters() == []
    with pytest.raises(InputError, match="none is installed"):
        load_exporter("gltf")


def test_a_generator_is_no_exporter(plugin_path):
    entry = "[ganassets.exporters]\nwrong = module_wrong_kind:SPEC\n"
    plugin_path.install("wrong-kind", entry, {"module_wrong_kind": spec_text("wrong")})
    (record,) = find_exporters()
    assert "is of type GeneratorSpec, not Exporter" in record.error


def test_the_module_needs_the_standard_library_alone():
    code = (
        "import sys, ganassets.api.registry as p; p.generator_names(); "
        "print([m for m in ('numpy', 'torch', 'click', 'rich', 'pydantic', 'onnxruntime') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_a_suffix_is_no_exporters_name_but_says_which(squares):
    with pytest.raises(InputError, match=r"^there is no exporter 'bin'; raw can write \.bin files\.$"):
        load_exporter("bin")
    with pytest.raises(InputError, match=r"^there is no exporter 'TXT'; raw can write \.txt files\.$"):
        load_exporter("TXT")
    with pytest.raises(InputError, match="there is no exporter 'rw'; did you mean 'raw'"):
        load_exporter("rw")
