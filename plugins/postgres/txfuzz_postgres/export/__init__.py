"""Reproducers for PostgreSQL's own tools, and running them."""
