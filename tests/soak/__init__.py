"""A site that is used for as long as one likes: ``python -m tests.soak --minutes 60``."""
