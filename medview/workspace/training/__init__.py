"""From reviewed labels to a training that runs in a process of its own."""
