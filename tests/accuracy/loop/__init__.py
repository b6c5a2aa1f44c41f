"""The loop that ``docs/accuracy.md`` tells of: propose, correct, train, compare, and again, by a script in place of a person."""
