"""Training of classifiers: one answer about a picture or a volume."""
