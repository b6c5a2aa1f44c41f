"""Finding one object from prompts, as the engine trains it."""
