"""The MySQL protocol: URLs, connections, sessions, and what error numbers mean."""
