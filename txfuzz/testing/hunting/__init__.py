"""A database of rows in memory that runs the programs of a hunt, with holes that are planted."""
