"""Training: objective, step, run folder, checkpoints (torch)."""
