"""The list of studies and what is dragged out of it."""
