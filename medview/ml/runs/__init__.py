"""Trainings as folders: settings, events and what came out. No torch here: windows follow them."""
