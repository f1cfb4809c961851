"""Group places into regions."""

__version__ = "0.1.0"
