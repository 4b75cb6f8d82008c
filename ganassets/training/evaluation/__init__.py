"""Measures of quality (torch, scipy)."""
