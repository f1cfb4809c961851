"""``python -m benchmarks [NAME ...]``: run some measurements, or all, each in a process of its own."""

from __future__ import annotations

import argparse
import subprocess
import sys

NAMES = (
    *("startup", "main_job", "kmeans", "minibatch", "kmedoids", "choose_k"),
    *("contiguity", "regions", "searches", "smoothing", "maps", "batch"),
    *("threads", "scale", "dask_engine", "geoda", "comparison", "large", "rank"),
)


def main() -> int:
    """Run each by name; options of one are for ``python -m benchmarks.NAME --help``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}; all by default")
    names = parser.parse_args().names or NAMES
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    codes = []
    for name in names:
        print(f"== {name}", flush=True)
        codes.append(subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode)
        print(flush=True)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
