"""What stands around the panes: bars, lines, the start page."""
