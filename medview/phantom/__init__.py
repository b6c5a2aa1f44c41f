"""Computed patients with known truth: for the demo, for tests and for the bundled packs."""
