"""Flag something that somebody should look at: the public path of ``chatkit_app.staff.flags``."""

from .staff.flags import flag

__all__ = ["flag"]
