"""The script a user would write for the main job, with geopandas, libpysal and scikit-learn.

``python benchmarks/peer_script.py INPUT OUTPUT K WHERE COLUMN ...`` groups the rows by k-means over z-scored
columns and centroids, counts the pieces of every cluster, and writes the labelled layer.
"""

from __future__ import annotations

import json
import sys

import geopandas as gpd
import pandas as pd
from libpysal.graph import Graph
from sklearn.cluster import KMeans


def main(source: str, target: str, k: int, where: str, columns: list[str]) -> None:
    """Do the job and print what it found."""
    units = gpd.read_file(source, where=where or None)
    plane = units.to_crs(units.estimate_utm_crs()) if units.crs.is_geographic else units
    centroid = plane.geometry.centroid
    table = units[columns].assign(X=centroid.x, Y=centroid.y)
    scaled = (table - table.mean()) / table.std()
    model = KMeans(k, n_init=150, random_state=123456789).fit(scaled)
    by_size = pd.Series(model.labels_).value_counts().index
    units["cluster"] = pd.Series(model.labels_).map({old: new for new, old in enumerate(by_size, 1)})
    neighbours = Graph.build_contiguity(units, rook=False)
    pieces = {
        int(cluster): int(neighbours.subgraph(members.index).n_components)
        for cluster, members in units.groupby("cluster")
    }
    total = (scaled**2).to_numpy().sum()
    units.to_file(target, driver="GPKG")
    print(json.dumps({"bss_tss": 1 - model.inertia_ / total, "pieces": sum(pieces.values())}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5:])
