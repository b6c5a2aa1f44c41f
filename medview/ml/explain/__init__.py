"""Why a model answered as it did (torch)."""
