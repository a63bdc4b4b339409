"""A small multi-version database in this process, with isolation levels to choose and defects to plant."""
