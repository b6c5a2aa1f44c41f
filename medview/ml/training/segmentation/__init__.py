"""Training of networks that label voxels."""
