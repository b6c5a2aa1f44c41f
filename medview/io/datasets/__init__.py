"""Labelled datasets as other programs keep them: listed, read and written."""
