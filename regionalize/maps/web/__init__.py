"""The map to explore: one page with its drawing, its data and the script that shows them."""
