"""One run from layer to result: in memory, and with files at both ends."""
