# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""GAN Assets: heads, tiling materials and clips by the batch, made beside Blender while it stays usable."""

# For Blenders before 4.2; later ones read the manifest.
bl_info = {
    "name": "GAN Assets",
    "author": "ganassets",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "location": "3D View > Sidebar > GAN Assets",
    "description": "Generates heads, tiling materials and clips in batches",
    "category": "Import-Export",
}

from . import fitness


def register() -> None:
    """Enable the add-on; RuntimeError where it can't work."""
    reason = fitness.reason_against()
    if reason:
        raise RuntimeError(reason)
    from . import registration  # which needs numpy

    registration.register()


def unregister() -> None:
    """Disable the add-on."""
    from . import registration

    registration.unregister()
