"""One run: live in this process, stored in the database, and the row that says how it ended."""
