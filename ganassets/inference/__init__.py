"""Generate assets from a model file: requests, recipes, models, pipeline, latent edits, batches (onnxruntime)."""
