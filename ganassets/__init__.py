"""Train small GANs on your own art and turn them into assets for games and Blender."""

__version__ = "0.1.0"
