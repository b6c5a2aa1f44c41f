"""What classification is told to learn, beside the words of a question."""

IMAGE_LABELS = "labels"
"""The target that is all image labels together."""
