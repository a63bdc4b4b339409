"""libpq and the wire: URLs, connections, sessions, values, and what SQLSTATEs mean."""
