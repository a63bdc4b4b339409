"""New plugins: the files of a distribution that works at once, to be changed into one's own."""
