"""Limits of what a visitor may cost, and what has been used of them."""
