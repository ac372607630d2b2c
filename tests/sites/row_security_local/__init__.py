"""Row-level security whose variable holds for one transaction, as it has to behind a pooler such as PgBouncer."""
