"""How good a model is on labelled cases: it runs as for a person, and what it finds is compared with the labels."""
