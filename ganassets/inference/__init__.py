"""From a model file to assets: requests, recipes, models, the pipeline, latent edits, batches (onnxruntime)."""
