"""Panels around the pictures."""
