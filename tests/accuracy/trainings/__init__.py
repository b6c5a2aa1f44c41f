"""The trainings whose figures ``docs/accuracy.md`` publishes: data, budgets, thresholds, and how they are run."""
