"""What a visitor may cost, and what has been used of it."""
