"""Tables of the user's own design, in a database of ours, and sessions on them."""
