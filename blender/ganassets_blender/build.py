"""The extension as a zip that Blender installs: the add-on, what it says of itself, and the wheels that it needs.

Everything lies in one folder, so that Blender 3.4 takes the same zip as a plain add-on.
"""

from __future__ import annotations

import email
import platform as host
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from ganassets.api.errors import InputError
from ganassets.api.writer import write_atomic

from .lock import PLATFORMS
from .wheels import fetch_wheels, files_below, make_own_wheel, own_version, pack

NAME = "ganassets"
ADDON = Path(__file__).with_name("addon")
SYSTEMS = {"Linux": "linux", "Windows": "windows", "Darwin": "macos"}
MACHINES = {"x86_64": "x64", "amd64": "x64", "arm64": "arm64", "aarch64": "arm64"}

# https://docs.blender.org/manual/en/latest/advanced/extensions/getting_started.html
MANIFEST = """\
schema_version = "1.0.0"

id = "{name}"
version = "{version}"
name = "GAN Assets"
tagline = "Heads, PBR materials and motion clips from small networks"
maintainer = "ganassets"
type = "add-on"
tags = ["Material", "Mesh", "Animation", "Pipeline"]

# No maximum: Blender refuses an extension that has no wheels for its Python.
blender_version_min = "4.2.0"
platforms = ["{platform}"]
license = ["SPDX:GPL-3.0-or-later"]

wheels = [
{wheels}]

[permissions]
files = "Read models, write assets and asset libraries"
"""

NOTICE = """\
GAN Assets for Blender
Copyright 2026 The ganassets authors

The files of this folder are licensed under the GNU General Public License, version 3 or later (see LICENSE). Those in
wheels/ are packages of their own, as their authors publish them, each with its own licence inside:

{wheels}"""


def this_platform() -> str:
    """Blender's name of the platform that this runs on; InputError where there is no Blender to extend."""
    system, machine = host.system(), host.machine()
    name = f"{SYSTEMS.get(system)}-{MACHINES.get(machine.lower())}"
    if name not in PLATFORMS:
        raise InputError(f"{system} on {machine} has no wheels for Blender; name another with --platform.")
    return name


def build_extension(
    platform: str,
    folder: Path,
    wheels: Path | None = None,
    report: Callable[[str], None] = lambda text: None,
    addon: Path = ADDON,
) -> Path:
    """Write the extension's zip for one platform: same add-on and same wheels, same bytes.

    Args:
        platform: one of PLATFORMS.
        folder: where to, made if it isn't there; a zip of that name is replaced.
        wheels: folder to take the wheels of others from; pip fetches them otherwise.
        report: told what goes on.
        addon: folder of the add-on.

    Returns:
        path of the zip.

    Raises:
        InputError: a wheel is not to be had, or the folder can't be written.
    """
    version = own_version()
    with tempfile.TemporaryDirectory(prefix="ganassets-wheels-") as name:
        report(f"{platform}: getting the wheels")
        bundled = {path.name: path.read_bytes() for path in fetch_wheels(platform, Path(name), wheels)}
        # Once where there is a wheel for each Python.
        licences = "".join(dict.fromkeys(f"- {licence_of(Path(name) / wheel)}\n" for wheel in bundled))
    report(f"{platform}: packing")
    own, content = make_own_wheel()
    bundled[own] = content
    listed = "".join(f'    "./wheels/{wheel}",\n' for wheel in sorted(bundled))
    files = {name: path.read_bytes() for name, path in files_below(addon).items()}
    files["blender_manifest.toml"] = MANIFEST.format(
        name=NAME, version=version, platform=platform, wheels=listed
    ).encode()
    files["LICENSE"] = (ADDON / "LICENSE").read_bytes()
    files["NOTICE"] = NOTICE.format(wheels=f"- {NAME} {version}: Apache-2.0 AND GPL-3.0-or-later\n{licences}").encode()
    files |= {f"wheels/{wheel}": content for wheel, content in bundled.items()}
    zipped = pack({f"{NAME}/{name}": content for name, content in files.items()})
    return write_atomic(folder / f"{NAME}-{version}-{platform}.zip", zipped)


def licence_of(wheel: Path) -> str:
    """Name, version and licence of a wheel, "pillow 11.0: MIT-CMU", as it says itself."""
    with zipfile.ZipFile(wheel) as file:
        (name,) = (name for name in file.namelist() if name.endswith(".dist-info/METADATA") and name.count("/") == 1)
        fields = email.message_from_bytes(file.read(name))
    classifiers = fields.get_all("Classifier") or []
    named = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License :: OSI Approved ::")]
    licence = fields["License-Expression"] or ", ".join(named) or (fields["License"] or "see inside").splitlines()[0]
    return f"{fields['Name']} {fields['Version']}: {licence}"
