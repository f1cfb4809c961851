"""The main job as whole processes: ``python -m benchmarks.main_job``.

A layer on disk to a labelled GeoPackage: k-means with centroids, k = 12, over the 184 municipalities of
Ceará within Brazil's 5,564 (the bundled sample of 159 counties where that layer is not at hand), beside the
script a user would write (`peer_script.py`). The bar: at most half of its wall time.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.timing import REPOSITORY, interleave, run_process, shared

K = "12"


def job() -> tuple[Path, str, list[str]]:
    """Return layer, filter and columns."""
    brazil = shared("brazil/municipalities.gpkg")
    if brazil is not None:
        return brazil, "ufn = 'Ceará'", ["t_dens", "t_lixo", "t_luz", "t_banagua", "agua_esgoto", "rdpc"]
    columns = ["tot_pop", "pct_rural", "pct_bach", "pct_eld", "pct_fb", "pct_pov", "pct_black"]
    return REPOSITORY / "sample_data" / "georgia.gpkg", "", columns


def main() -> None:
    """Print wall and processor seconds of both, and what they found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    source, where, columns = job()
    with tempfile.TemporaryDirectory() as folder:
        ours = ["-m", "regionalize", "kmeans", source, "--k", K, "--columns", ",".join(columns)]
        ours += ["--with-centroids", "--json", "--overwrite", "-o", Path(folder) / "ours.gpkg"]
        ours += ["--where", where] if where else []
        script = REPOSITORY / "benchmarks" / "peer_script.py"
        theirs = [script, source, Path(folder) / "theirs.gpkg", K, where, *columns]
        ways = {
            "regionalize kmeans": lambda _: run_process(ours),
            "the peer's script": lambda _: run_process(theirs),
        }
        interleave(ways, 1)  # bytecode cached, files in memory
        found = interleave(ways, rounds)
    print(f"{source.name} {where or '(all rows)'}, whole processes, medians of {rounds} interleaved runs")
    wall = {name: median(run.wall for _, run in runs) for name, runs in found.items()}
    for name, runs in found.items():
        document = json.loads(runs[0][1].output)
        if "fit" in document:
            document = {
                "bss_tss": document["fit"]["ratio"],
                "pieces": document["fragmentation"]["subclusters"],
            }
        cpu = median(run.cpu for _, run in runs)
        print(
            f"{name:<20} {wall[name]:6.3f} s wall, {cpu:6.3f} s processor   "
            f"BSS/TSS {document['bss_tss']:.6f} in {document['pieces']} pieces"
        )
    ratios = [a.wall / b.wall for (_, a), (_, b) in zip(*found.values(), strict=True)]
    ours_wall, theirs_wall = wall.values()
    print(f"ratio of medians {ours_wall / theirs_wall:.3f}; the bar is 0.5")
    print(f"round by round: median {median(ratios):.3f}, from {min(ratios):.3f} to {max(ratios):.3f}")


if __name__ == "__main__":
    main()
