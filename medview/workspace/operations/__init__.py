"""What a person can ask for: each turns a wish into commands or jobs."""
