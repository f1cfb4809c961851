"""K-means of layers that one machine cannot hold: the rows lie in parts on workers of Dask."""
