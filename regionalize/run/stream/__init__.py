"""K-means of rows that come in batches, so that memory does not grow with their number."""
