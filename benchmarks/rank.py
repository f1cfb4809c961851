"""Ranking by distance, zones and scores: ``python -m benchmarks.rank``.

The bars: one user and a million items with five bands in less than a second and 500 MB; the ten nearest of a
million for a thousand users in less than 0.1 s once the tree is there; 32 users, 100 items and five bands in
less than 3 ms. The peer of the nearest is scikit-learn's ball tree with the haversine, in turn with ours on
the same places; that of distances is its table of haversines. Each part is a process of its own, whose peak
of memory is that of the whole process, with Python and what is imported.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks.timing import in_child, interleave, medians

BANDS = 5


def on_globe(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return latitude and longitude of places, spread evenly over the globe."""
    return np.column_stack([np.degrees(np.arcsin(rng.uniform(-1, 1, n))), rng.uniform(-180, 180, n)])


def in_towns(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return places in a thousand towns of very different size, some of them at one address."""
    towns = on_globe(rng, 1000) * [0.8, 1]
    town = (1000 * rng.random(n) ** 3).astype(int)
    return np.round(np.clip(towns[town] + rng.normal(0, 0.1, (n, 2)), [-90, -180], [90, 180]), 4)


PLACES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {"globe": on_globe, "towns": in_towns}


class Spent(NamedTuple):
    """Seconds of the clock and of the processor, and the peak of memory in MB."""

    wall: float
    cpu: float
    memory: float


def peak() -> float:
    """Return the peak of this process's memory, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def ranked(users: np.ndarray, items: np.ndarray, rounds: int, asked: dict[str, Any]) -> Spent:
    """Rank, with memberships, so many times."""
    from regionalize.studies.rank.options import RankOptions
    from regionalize.studies.rank.places import Items, Users
    from regionalize.studies.rank.rank import rank_items

    options = RankOptions(**asked)
    goods, people = Items(np.arange(len(items)), items), Users(np.arange(len(users)), users)
    seconds, worked = [], []
    for _ in range(rounds):
        start, before = time.perf_counter(), time.process_time()
        found = rank_items(goods, people, options)
        shapes = [one.shape for one in found.memberships]
        seconds.append(time.perf_counter() - start)
        worked.append(time.process_time() - before)
        assert shapes == [(len(found), number) for number in options.bands]
    return Spent(float(np.median(seconds)), float(np.median(worked)), peak())


def one_user(n: int, rounds: int) -> None:
    """Print what one user and many items take."""
    rng = np.random.default_rng(1)
    asked: dict[str, dict[str, Any]] = {
        "top 10": {"top": 10},
        "top 10, score by zones": {"top": 10, "score": "weights"},
        "top 10, two of a zone": {"top": 10, "max_per_region": 2},
        "every item": {},
    }
    for kind, make in PLACES.items():
        users, items = make(rng, 1), make(rng, n)
        for name, more in asked.items():
            work = partial(ranked, users, items, rounds, {"bands": (BANDS,), **more})
            spent = in_child(work).result
            print(
                f"1 x {n:,} ({kind}), {BANDS} bands, {name}: {spent.wall:.3f} s "
                f"(processor {spent.cpu:.3f} s), {spent.memory:.0f} MB",
                flush=True,
            )


def small(rounds: int) -> None:
    """Print what few users and items take."""
    rng = np.random.default_rng(2)
    users, items = on_globe(rng, 32), on_globe(rng, 100)
    for name, more in (("every item", {}), ("top 10", {"top": 10})):
        spent = in_child(partial(ranked, users, items, rounds, {"bands": (BANDS,), **more})).result
        print(
            f"32 x 100 x {BANDS}, {name}: {1000 * spent.wall:.2f} ms (processor {1000 * spent.cpu:.2f} ms)",
            flush=True,
        )


def many_users(n: int, rounds: int) -> None:
    """Print what the nearest take for many users, beside a ball tree."""
    from sklearn.neighbors import BallTree

    from regionalize.studies.rank.distances import RADIUS_KM, PlaceIndex

    rng = np.random.default_rng(3)
    for kind, make in PLACES.items():
        users, items = make(rng, 1000), make(rng, n)
        radians = np.radians(items)
        builds = interleave(
            {
                "regionalize": lambda _, items=items: PlaceIndex(items).build(),
                "ball tree": lambda _, radians=radians: BallTree(radians, metric="haversine"),
            },
            1,
        )
        index, tree = builds["regionalize"][0][1], builds["ball tree"][0][1]
        ways: dict[str, Callable[[int], Any]] = {
            "regionalize": lambda _, index=index, users=users: index.nearest(users, 10)[1],
            "regionalize, 1 thread": lambda _, index=index, users=users: index.nearest(users, 10, threads=1)[
                1
            ],
            "ball tree": lambda _, tree=tree, users=users: tree.query(np.radians(users), 10)[0] * RADIUS_KM,
        }
        found = interleave(ways, rounds)
        np.testing.assert_allclose(found["regionalize"][0][1], found["ball tree"][0][1], atol=1e-6)
        seconds = medians(found)
        for name in ways:
            build = f"built in {builds[name][0][0]:.2f} s, " if name in builds else ""
            ratio = seconds["regionalize"] / seconds[name]
            print(
                f"1,000 x 10 nearest of {n:,} ({kind}), {name}: {build}{seconds[name]:.4f} s "
                f"(ours over it {ratio:.3f})",
                flush=True,
            )


def ranking_of_many(n: int) -> None:
    """Print what whole rankings of many users take, by the tree and by a look at all items."""
    rng = np.random.default_rng(4)
    items = in_towns(rng, n)
    for count, asked in ((1000, {"top": 10}), (20, {"top": 10, "normalize": "minmax"})):
        spent = in_child(partial(ranked, in_towns(rng, count), items, 1, asked)).result
        print(
            f"{count:,} x {n:,}, {asked}: {spent.wall:.2f} s (processor {spent.cpu:.2f} s), "
            f"{spent.memory:.0f} MB",
            flush=True,
        )


def distances(n: int, rounds: int) -> None:
    """Print what a table of distances takes, beside scikit-learn's."""
    from sklearn.metrics.pairwise import haversine_distances

    from regionalize.studies.rank.distances import great_circle_km

    rng = np.random.default_rng(5)
    users, items = on_globe(rng, 10), on_globe(rng, n // 10)
    seconds = medians(
        interleave(
            {
                "regionalize": lambda _: great_circle_km(users, items),
                "scikit-learn": lambda _: haversine_distances(np.radians(users), np.radians(items)),
            },
            rounds,
        )
    )
    ratio = seconds["regionalize"] / seconds["scikit-learn"]
    print(f"10 x {n // 10:,} distances: {seconds['regionalize']:.3f} s, ratio to scikit-learn {ratio:.2f}")


def main() -> None:
    """Print seconds and peaks of memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    small(20 * options.rounds)
    one_user(options.items, options.rounds)
    distances(options.items, options.rounds)
    many_users(options.items, options.rounds)
    ranking_of_many(options.items)


if __name__ == "__main__":
    main()
