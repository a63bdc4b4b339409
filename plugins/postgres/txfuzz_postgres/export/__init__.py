"""Reproducers in the words of PostgreSQL's own tools, and a run of them."""
