"""New plugins: the files of a distribution that works at once, for the author to change."""
