"""What a model is given: which series plays which part, and whether it is like what the model knows. No torch here."""
