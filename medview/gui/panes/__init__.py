"""Pictures: what a pane follows, works out, paints and hears of the mouse."""
