"""Batch engine: generate thousands of assets in parallel processes, and continue where a run stopped."""
