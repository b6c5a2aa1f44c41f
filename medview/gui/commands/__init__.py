"""Menus, keys and buttons as Qt actions, and what they need a window for."""
