"""Tables of the user's own design, and sessions on them."""
