"""Reports for people as pages of one file."""
