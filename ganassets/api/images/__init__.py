"""Images of assets: encode PNG, WebP and JPEG, pack a material's maps into channels, resize."""
