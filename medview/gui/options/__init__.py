"""What can be set for the tool in hand: a small widget per kind of tool."""
