"""The list of segments and what is told of them."""
