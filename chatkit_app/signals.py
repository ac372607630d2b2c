"""What happened. All signals are sent from a thread that may query the database."""

from django.dispatch import Signal

# Arguments: user, visitor_id, threads (how many). Sent after a visitor's rows became the user's.
visitor_claimed = Signal()

# Arguments: thread_id (the SDK's id), item_ids, kind ("positive" or "negative"), context.
feedback_given = Signal()

# Arguments: run (the row, final). Sent when an answer ended, however it ended.
run_finished = Signal()
