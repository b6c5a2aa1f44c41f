"""Model packs and what runs and trains them. Importing this package does not import torch."""
