"""The rows of the catalog, family by family: what every method of this package is."""
