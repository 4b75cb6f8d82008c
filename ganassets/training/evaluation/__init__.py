"""Measure the quality of generators (torch, scipy)."""
