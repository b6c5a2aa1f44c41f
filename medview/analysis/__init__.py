"""Measures and statistics of labels and volumes."""
