"""Plots: units by two axes, clusters over variables and time, silhouettes, joins, curves over k."""
