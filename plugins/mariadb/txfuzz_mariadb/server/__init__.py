"""A MariaDB server of our own: found, started, watched and removed without leaving a trace."""
