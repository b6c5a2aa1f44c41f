"""Pure label algorithms: arrays in, LabelPatch out."""
