"""Signals sent by the app, all of them from a thread that may query the database."""

from django.dispatch import Signal

# Arguments: user, visitor_id, threads (how many). Sent after a visitor's rows became the user's.
visitor_claimed = Signal()

# Arguments: thread_id (the SDK's id), item_ids, kind ("positive" or "negative"), context.
feedback_given = Signal()

# Arguments: run (the row, final). Sent when an answer ended, however it ended.
run_finished = Signal()

# Arguments: item (the row, with its thread). Sent once for each item, as soon as it is stored whole, with the sender
# ThreadItem. An answer waits for what listens; what raises is logged and harms nothing. A rule listens like this:
#
#     @receiver(item_added)
#     def look_for_card_numbers(item, **kwargs):
#         if CARD_NUMBER.search(item.text):
#             flags.flag(item.thread, item=item, rule="card-number", reason="Looks like a card number.")
item_added = Signal()

# Arguments: thread_pk (the primary key), version. Sent with the sender Thread when something was committed that an open
# page shows: an item that came, changed, was redacted or removed, another title, another status, another one who
# answers. While an answer is written it is sent every second or so. What raises is logged and undoes nothing.
thread_changed = Signal()

# Arguments: thread_pks (primary keys). Sent with the sender Thread when something was committed that only staff see: a
# label, a note, who looks after it, a flag, what users think of answers. What raises is logged and undoes nothing.
thread_handled = Signal()

# Arguments: flag (the row, with its thread and item). Sent for each new flag, for example to notify somebody.
thread_flagged = Signal()

# Arguments: item (the row, as the tombstone that it is now), actor (the staff member, or None). Sent with the sender
# ThreadItem after a message was redacted, once that is certain. The app has rewritten its own copies by then; a site
# that keeps some of its own (a data warehouse, a search engine, mails) deletes them by item.thread_id and
# item.public_id. What raises is logged and undoes nothing.
item_redacted = Signal()

# Arguments: limit (its name in CHATKIT["LIMITS"]), until (when it is over, or None), context (of who met it; a new
# visitor's names nobody yet). Sent with the sender LimitCounter. What raises is logged and changes nothing.
limit_reached = Signal()

# Arguments: thread (the row), reason (for staff), user_is_present. Sent with the sender Thread when a user begins to
# wait for a person, once that is certain. What raises is logged and undoes nothing; so with the next two.
staff_needed = Signal()

# Arguments: thread (the row), item (the row of the message), actor (who wrote it), user_is_present.
staff_replied = Signal()

# Arguments: thread (the row as it is now), before (a Thread.Handler), actor (the member of the staff, or None),
# user_is_present.
handler_changed = Signal()
