"""Drawing tools: one generator per gesture. Tools make LabelPatches and never touch pixels."""
