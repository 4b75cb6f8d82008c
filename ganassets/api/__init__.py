"""API for plugins and exporters: contracts, assets, registry, images, motion and rendering, on numpy and Pillow."""
