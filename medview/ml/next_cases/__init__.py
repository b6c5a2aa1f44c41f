"""Which cases are worth labelling next: how unsure a model is of each, and a batch of them. No torch, no files."""
