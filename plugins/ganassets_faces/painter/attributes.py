"""Columns of a person's attributes: age in years, then shares in [0, 1]."""

from __future__ import annotations

AGE, SEX, WEIGHT, AFRICAN, ASIAN, EUROPEAN, TONE = range(7)
