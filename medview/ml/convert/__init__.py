"""Foreign weights to model packs; runs as a child process (torch)."""
