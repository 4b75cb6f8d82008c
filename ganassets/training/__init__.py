"""Train generators, and export them to ONNX (torch)."""
