"""Files in, core values out, and back."""
