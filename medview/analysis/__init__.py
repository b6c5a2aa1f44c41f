"""Measures, statistics and metrics."""
