"""What staff keep about conversations and what they did. Knows rows only."""
