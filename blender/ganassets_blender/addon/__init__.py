# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""GAN Assets: generate heads, tiling materials and motion clips in batches while Blender stays usable."""

# For Blenders before 4.2; later ones read the manifest.
bl_info = {
    "name": "GAN Assets",
    "author": "ganassets",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "location": "3D View > Sidebar > GAN Assets",
    "description": "Generates heads, tiling materials and motion clips in batches",
    "category": "Import-Export",
}

from . import blender_requirements


def register() -> None:
    """Enable the add-on; RuntimeError with the reason if this Blender can't run it."""
    problem = blender_requirements.find_problem()
    if problem:
        raise RuntimeError(problem)
    from . import registration  # needs numpy, which was checked above

    registration.register()


def unregister() -> None:
    """Disable the add-on."""
    from . import registration

    registration.unregister()
