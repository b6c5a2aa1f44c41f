"""Everything open now: the only mutable document, without Qt."""
