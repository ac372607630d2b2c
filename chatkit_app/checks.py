"""System checks: one id and one hint per mistake we can see."""


def register_checks() -> None:
    """Register the checks with Django."""
