"""The embedded MariaDB server: found, started, supervised and removed without a trace."""
