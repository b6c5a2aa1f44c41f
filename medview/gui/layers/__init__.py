"""What is drawn on a slice, one file per layer."""
