"""The real window in a process of its own under a virtual screen, driven with real mouse and key events."""
