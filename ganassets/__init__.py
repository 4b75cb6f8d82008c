"""Train small GANs on your own art and turn them into assets for games and Blender."""

import os

__version__ = "0.1.0"

# What keeps dependencies from reporting to anybody. They read it when they load, which is after this.
QUIET = {
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime: an id of the device in the user's cache folder, facts of the machine
}
os.environ.update(QUIET)
