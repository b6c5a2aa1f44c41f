"""Where a voxel lies on a pane, and what of labels, figures and texts fits there."""
