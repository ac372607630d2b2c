"""The official client itself, in the demo: run where its files are, see ``conftest.py``."""
