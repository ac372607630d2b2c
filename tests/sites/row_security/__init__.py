"""A site whose tables are under row-level security: a connection that does not say who asks sees and writes nothing."""
