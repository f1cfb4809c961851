"""Measurements beside the peers; never tests."""
