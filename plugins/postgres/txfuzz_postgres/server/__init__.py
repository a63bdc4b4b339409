"""The embedded PostgreSQL server: found, started, supervised and removed without a trace."""
