"""Going on from another model: its plan, its weights, and how much of them learns."""
