"""What one stranger can do to a site: each attack is a script that prints its figure."""
