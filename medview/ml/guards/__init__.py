"""What is looked at before a model learns from labels: whether they can be learnt from, and judged on, honestly."""
