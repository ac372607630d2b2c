"""This server process: its name, its threads and its end."""
