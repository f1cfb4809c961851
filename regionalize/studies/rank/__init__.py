"""Items ranked for places: distances, zones, memberships, scores, and the best of them."""
