"""Pages that hear what happens. The database is the truth, and the channel layer a doorbell: no text crosses it."""
