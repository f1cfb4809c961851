"""Results one can look at: maps drawn offline."""
