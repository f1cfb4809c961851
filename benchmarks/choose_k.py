"""k-means over k = 2 to 15 beside one run of 150 starts: ``python -m benchmarks.choose_k``.

The bar, on natregimes: everything that choose-k measures, silhouettes of all 3,085 counties included, within
3 times a single run of 150 starts at k = 12, of scikit-learn's on one thread and of our own. Both sides get
the same z-scored matrix; whole commands are timed besides. Then the fit of every k is set against a default
k-means search for that k alone, on four layers, for several seeds.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

import numpy as np

from benchmarks.kmeans import HOMICIDE, LAYERS, ratio, real_matrix, synthetic_matrix, theirs
from benchmarks.timing import Timed, interleave, medians, run_process, shared

KS = range(2, 16)
GUERRY = ("Crm_prs", "Crm_prp", "Litercy", "Donatns", "Infants", "Suicids")
HEALTH = ("EP_CROWD", "EP_UNINSUR", "EP_MINRTY", "EP_DISABL", "EP_NOHSDP", "EP_PCI", "EP_NOVEH", "HealthLit")
FITS = {
    "Guerry": ("guerry/Guerry.shp", None, GUERRY),
    "Ceará": LAYERS["Ceará"],
    "Chicago": ("chi_sdoh/Chi-SDOH.shp", None, HEALTH),
    "natregimes": LAYERS["natregimes"],
}


def over_range(X: np.ndarray, seed: int) -> Any:
    """Search all k and measure silhouettes, as choose-k does."""
    from regionalize.measure.fit import measure_fit
    from regionalize.measure.silhouette import measure_silhouettes
    from regionalize.methods.kmeans_range import kmeans_range

    found = [labels + 1 for labels in kmeans_range(X, KS, seed=seed).values()]
    return [measure_fit(X, labels) for labels in found], measure_silhouettes(X, found)


def our_starts(X: np.ndarray, seed: int) -> np.ndarray:
    """Run 150 starts of ours at k = 12."""
    from regionalize.methods.kmeans import kmeans

    return kmeans(X, 12, search="starts", n_init=150, seed=seed)


def command(*arguments: str) -> Timed:
    """Time a whole command."""
    run = run_process(["-m", "regionalize", *arguments, "--columns", ",".join(HOMICIDE)])
    return Timed(run.wall, None)


def show(found: dict[str, list[tuple[float, Any]]]) -> None:
    """Print medians, and how many times the others the first takes."""
    seconds = medians(found)
    first = next(iter(seconds.values()))
    for name, value in seconds.items():
        print(f"  {name:<44} {value:8.3f} s   choose-k takes {first / value:.2f} times as long", flush=True)


def compare_fit(seeds: int) -> None:
    """Print the largest shortfall of any k from a default search for that k alone."""
    from regionalize.methods.kmeans import kmeans
    from regionalize.methods.kmeans_range import kmeans_range

    for name, about in FITS.items():
        X = real_matrix(*about)
        if X is None:
            continue
        alone = {k: ratio(X, kmeans(X, k)) for k in KS}
        short = []
        for seed in range(seeds):
            fits = {k: ratio(X, labels) for k, labels in kmeans_range(X, KS, seed=seed).items()}
            short += [alone[k] - fits[k] for k in KS]
        print(
            f"  {name:<11} BSS/TSS below that of a search for each k alone: at most {max(short):.6f}, "
            f"more than 0.00001 in {sum(one > 1e-5 for one in short)} of {len(short)}",
            flush=True,
        )


def main() -> None:
    """Print time and fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=5, help="of the fit; 0: leave it out")
    parser.add_argument("--large", type=int, default=100_000, help="rows of a large table; 0: leave it out")
    options = parser.parse_args()
    file, X = shared("natregimes/natregimes.shp"), real_matrix(*LAYERS["natregimes"])
    if file is not None and X is not None:
        ways: dict[str, Any] = {
            "k = 2 to 15, measured": partial(over_range, X),
            "scikit-learn, 150 starts, k = 12, 1 thread": partial(theirs, X, 1, 150),
            "ours, 150 starts, k = 12": partial(our_starts, X),
        }
        for way in ways.values():
            way(0)  # libraries loaded, kernels compiled
        print(f"natregimes in memory, {options.rounds} rounds")
        show(interleave(ways, options.rounds))
        print("whole commands")
        commands = {
            "choose-k --k 2-15": ("choose-k", str(file), "--k", "2-15"),
            "kmeans --k 12 --search starts": ("kmeans", str(file), "--k", "12", "--search", "starts"),
        }
        show(
            interleave(
                {name: lambda _, words=words: command(*words) for name, words in commands.items()},
                options.rounds,
            )
        )
    if options.seeds:
        compare_fit(options.seeds)
    if options.large:
        from regionalize.methods.kmeans import kmeans

        X = synthetic_matrix(options.large)
        print(f"synthetic, {options.large:,} x {X.shape[1]}")
        show(
            interleave(
                {
                    "k = 2 to 15, measured": partial(over_range, X),
                    "k = 12 alone": lambda seed: kmeans(X, 12, seed=seed),
                },
                1,
            )
        )


if __name__ == "__main__":
    main()
