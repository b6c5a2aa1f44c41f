"""What a training that begins with another model takes from it. No torch here."""
