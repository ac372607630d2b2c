"""Records of staff about conversations, and of what they did. Knows rows only."""
