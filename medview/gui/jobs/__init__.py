"""Jobs in threads, and what has to be quiet for them."""
