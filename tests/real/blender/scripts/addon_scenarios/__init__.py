"""Scenarios that use the installed add-on inside Blender; run_scenarios.py runs them."""
