"""A primary and its standbys: started together, followed, lost and promoted."""
