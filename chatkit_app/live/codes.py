"""The codes with which a socket is closed, so that a page knows whether to come again."""

BAD_MESSAGE = 4400
"""It has sent something that is no message."""
SESSION_OVER = 4401
"""Nobody is logged in any more, or somebody else is: reload, or come again with the new session."""
FORBIDDEN = 4403
"""It may not be here."""
NOT_HERE = 4404
"""There are no sockets here: poll."""
TOO_SLOW = 4408
"""It has read nothing for too long."""
TOO_MUCH = 4429
"""It sends too much."""
