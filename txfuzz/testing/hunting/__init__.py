"""A database of rows in memory that runs the programs of a hunt, serializable but for holes that are planted."""
