"""What travels between the rooms: plain data, no algorithms, no files."""
