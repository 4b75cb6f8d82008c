"""Build the extension's zip: the add-on, its manifest, and the wheels that it needs.

Everything is in one folder, so that Blender 3.4 can install the same zip as an add-on.
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

# No maximum: Blender refuses an extension without wheels for its Python.
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

The files in this folder are licensed under the GNU General Public License, version 3 or later (see LICENSE). The files
in wheels/ are separate packages, as published by their authors. Each contains its own licence:

{wheels}"""


def this_platform() -> str:
    """Blender's name of this machine's platform; InputError if there are no wheels for it."""
    system, machine = host.system(), host.machine()
    name = f"{SYSTEMS.get(system)}-{MACHINES.get(machine.lower())}"
    if name not in PLATFORMS:
        raise InputError(f"{system} on {machine} has no wheels for Blender; name another platform with --platform.")
    return name


def build_extension(
    platform: str,
    folder: Path,
    wheels: Path | None = None,
    report: Callable[[str], object] | None = None,
    addon: Path = ADDON,
) -> Path:
    """Write the extension's zip for one platform; the same add-on and wheels give the same bytes.

    Args:
        platform: one of PLATFORMS.
        folder: folder for the zip, created if missing; an existing zip is replaced.
        wheels: folder with the wheels of other packages; None to let pip download them.
        report: receives a line before each step.
        addon: folder of the add-on.

    Returns:
        Path of the zip.

    Raises:
        InputError: a wheel can't be downloaded, or the folder can't be written.
    """
    version = own_version()
    with tempfile.TemporaryDirectory(prefix="ganassets-wheels-") as name:
        if report:
            report(f"{platform}: getting the wheels")
        bundled = {path.name: path.read_bytes() for path in fetch_wheels(platform, Path(name), wheels)}
        # Listed once for packages that have a wheel for each Python.
        licences = "".join(dict.fromkeys(f"- {licence_of(Path(name) / wheel)}\n" for wheel in bundled))
    if report:
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
    """Name, version and licence of a wheel from its metadata, for example "pillow 11.0: MIT-CMU"."""
    with zipfile.ZipFile(wheel) as file:
        (name,) = (name for name in file.namelist() if name.endswith(".dist-info/METADATA") and name.count("/") == 1)
        fields = email.message_from_bytes(file.read(name))
    classifiers = fields.get_all("Classifier") or []
    named = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License :: OSI Approved ::")]
    licence = fields["License-Expression"] or ", ".join(named) or (fields["License"] or "see inside").splitlines()[0]
    return f"{fields['Name']} {fields['Version']}: {licence}"
