"""What to label next in a project: scores kept beside it, batches, and what is said of them."""
