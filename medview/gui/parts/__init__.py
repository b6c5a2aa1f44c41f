"""Controls, plots, colours and bindings that panels and dialogs are made of."""
