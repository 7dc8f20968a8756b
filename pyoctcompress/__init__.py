"""Compress neural networks: prune, quantize and distil models in .mat files."""
