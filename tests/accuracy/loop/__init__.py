"""The loop that ``docs/accuracy.md`` tells of: a script proposes, corrects, trains, compares, and again."""
