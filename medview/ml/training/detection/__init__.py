"""Training of detectors: boxes around objects in pictures and volumes."""
