"""Inference: tiling, memory plan, one runner per task (torch)."""
