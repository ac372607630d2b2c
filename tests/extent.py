"""How much of what could be tried is tried."""

import os

# Otherwise some tests take of many like examples those that differ most.
IS_WHOLE = os.environ.get("CHATKIT_TESTS") == "all"
