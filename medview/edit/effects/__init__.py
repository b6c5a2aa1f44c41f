"""Effects: changes of whole segments, each a pure function with its settings described as data."""
