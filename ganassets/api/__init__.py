"""What plugins and exporters import: contracts, assets, registry, images, motion, rendering (numpy, Pillow)."""
