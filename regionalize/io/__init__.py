"""Layers and tables in and out of files."""
