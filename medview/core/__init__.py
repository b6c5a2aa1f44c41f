"""Values and rules. numpy and the standard library only."""
