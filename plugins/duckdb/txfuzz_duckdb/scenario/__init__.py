"""Tables of somebody's own design, restored before every attempt."""
