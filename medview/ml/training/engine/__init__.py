"""The loop around every kind of training: Lightning, in a process of its own."""
