"""A small in-process multi-version database with several isolation levels and optional defects."""
