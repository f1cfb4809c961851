"""The chapters on contiguity of the book on GeoDa, replayed: ``python -m benchmarks.geoda``.

Runs the commands of docs/geoda.md, puts their figures beside published ones (`published.csv`: the book, the
tests of pygeoda and rgeoda) and beside what pygeoda finds here on the same layer, and with ``--write`` writes
the tables into the page. A table whose layer is not at hand is left as it is; ``--pictures`` draws the maps.
``--ceara FILE`` runs the chapter on the book's own layer, which is not among the shared ones, and prints it.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from benchmarks import geoda_steps as steps
from benchmarks import peers
from benchmarks.geoda_steps import Data, Step
from benchmarks.kmeans import ratio
from benchmarks.pages import DOCS, Ran, machine, publish, run_command, table
from benchmarks.timing import shared

PAGE = "geoda.md"
ROUNDS = 3
RENUMBERED = 12
"""Ways to number the clusters that GeoDa makes contiguous: where sizes are equal, it matters to it."""


def published(layer: str, run: str, figure: str = "BSS/TSS") -> str:
    """Return a published figure as it is printed."""
    file = Path(__file__).with_name("published.csv")
    with file.open(encoding="utf-8", newline="") as lines:
        rows = {(row["layer"], row["run"], row["figure"]): row["value"] for row in csv.DictReader(lines)}
    return rows[layer, run, figure]


class Layer(NamedTuple):
    """A layer as the program takes it, as a frame, and its variables z-scored."""

    words: tuple[object, ...]
    frame: Any
    X: np.ndarray
    population: str


def read(path: Path, data: Data) -> Layer:
    """Read a layer."""
    import geopandas

    frame = geopandas.read_file(path, where=data.where or None)
    X = frame[list(data.columns)].to_numpy(float)
    X = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
    where = ("--where", data.where) if data.where else ()
    return Layer((path, *where, "--columns", ",".join(data.columns)), frame, X, data.population)


def at_hand(data: Data) -> Layer | None:
    """Read a shared layer, or return None where it is not."""
    path = shared(data.path)
    return None if path is None else read(path, data)


def run(step: Step, layer: Layer, *more: object, rounds: int = 1) -> Ran:
    """Run the command of a step; its seconds are the median of the rounds."""
    name, *options = step.words.replace("POP", layer.population).split()
    ran = [run_command(name, *layer.words, *options, *more) for _ in range(rounds)]
    return Ran(median(one.seconds for one in ran), ran[0].document)


def peer(step: Step, layer: Layer) -> str:
    """Return the fit that pygeoda finds with the same variables and links."""
    if not step.peer:
        return "–"
    people = layer.frame[layer.population].to_numpy(float)
    function, *arguments = step.peer
    if function.startswith("maxp"):
        arguments = [people.tolist(), float(arguments[1]) * people.sum()]
    return fit_of(peers.attempt(peers.pygeoda, layer.frame, layer.X, function, *arguments), layer.X, step)


def fit_of(found: peers.Outcome, X: np.ndarray, step: Step) -> str:
    """Write BSS/TSS, or the trouble."""
    if found.labels is None:
        return found.trouble
    return digits(ratio(X, found.labels)) + (f", {found.labels.max() + 1} regions" if step.counts else "")


def digits(value: float, like: str = "0.0000") -> str:
    """Write a number with as many decimals as another has, six at most."""
    return f"{value:.{min(len(like.partition('.')[2]), 6)}f}"


def verdict(step: Step, said: str, value: float) -> str:
    """Say that a figure is the published one, as far as that is printed, or why not."""
    return "the same" if digits(value, said) == digits(float(said), said) else step.why


def listed(values: Any) -> str:
    """Join with commas."""
    return ", ".join(map(str, values))


def places() -> str:
    """Clusters by centroids alone: the book's numbers, and ours with both transforms."""
    layer = at_hand(steps.ATLAS)
    if layer is None:
        return ""
    frame = layer.frame.to_crs("EPSG:5880")  # the projection of the book's layer
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "places.gpkg"
        frame.assign(x=frame.centroid.x, y=frame.centroid.y).to_file(file)
        plane = layer._replace(words=(file, "--columns", "x,y"))
        for step in steps.PLACES:
            z, raw = (run(step, plane, "--transform", how).document for how in ("z", "raw"))
            figure = published("Ceará, places", step.run)
            units = published("Ceará, places", step.run, "sizes").replace(";", ", ")
            fits = [digits(found["fit"]["ratio"], figure) for found in (z, raw)]
            rows.append([f"`{step.words}`", figure, *fits, units, listed(z["sizes"])])
    head = ["command", "the book", "here, z", "here, raw", "units: the book", "units: here, z"]
    return table(head, rows)


def chapter(layer: Layer) -> str:
    """All steps of the chapters: the fit, the pieces, the time."""
    rows = []
    for step in steps.CHAPTER:
        ran = run(step, layer, rounds=1 if "auto" in step.words else ROUNDS)
        document = ran.document
        theirs = published("Ceará", step.run)
        own = digits(document["bss_tss_attributes"])
        if step.counts:
            theirs += f", {published('Ceará', step.run, 'p')} regions"
            own += f", {document['k']} regions"
        if "auto" in step.words:
            theirs += f", weight {float(published('Ceará', step.run, 'w1')):.2f}"
            own += f", weight {document['extra']['centroid_weight']:.2f}"
        geoda = make_spatial(layer) if step.run == "make contiguous" else peer(step, layer)
        smallest, *_, largest = sorted(document["sizes"])
        rows.append(
            [
                *(step.title, f"`{step.words.replace('POP', layer.population)}`", theirs, geoda, own),
                *(document["subclusters"], f"{smallest} to {largest}", f"{ran.seconds:.2f}"),
            ]
        )
    head = ["section", "command", "the book, its data", "GeoDa, these data", "here", "pieces", "units", "s"]
    return table(head, rows)


def make_spatial(layer: Layer) -> str:
    """Return the fits after the repair of pygeoda, of the clusters of k-means, numbered in several ways."""
    step = steps.CHAPTER[0]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clusters.gpkg"
        run(step, layer, "-o", file)
        labels = labels_of(file)
    rng = np.random.default_rng(1)
    numbers = [np.arange(labels.max()), *(rng.permutation(labels.max()) for _ in range(RENUMBERED - 1))]
    fits = [
        fit_of(
            peers.attempt(peers.pygeoda_make_spatial, layer.frame, layer.X, number[labels - 1] + 1),
            layer.X,
            step,
        )
        for number in numbers
    ]
    return " or ".join(sorted(set(fits)))


def labels_of(file: Path, column: str = "cluster") -> np.ndarray:
    """Read the labels that a run has written."""
    import geopandas

    return geopandas.read_file(file, layer=file.stem)[column].to_numpy()


def guerry(layer: Layer) -> str:
    """Figures that the tests of pygeoda and rgeoda hold, k = 5, beside ours."""
    rows = []
    for step in steps.GUERRY_STEPS:
        said = published("Guerry", step.run)
        document = run(step, layer).document
        value = document["bss_tss_all"]
        regions = f", {document['k']} regions" if step.counts else ""
        why = verdict(step, said, value)
        command = f"`{step.words.replace('POP', layer.population)}`"
        rows.append([step.run, command, digits(float(said)), digits(value) + regions, why])
    return table(["GeoDa", "command", "published", "here", "why they differ"], rows)


def trees(layer: Layer) -> str:
    """Every tree and hierarchy, k = 3 to 10: our fit, and pygeoda's where its regions are others."""
    from sklearn.metrics import adjusted_rand_score

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for step in steps.TREES:
            cells = []
            for k in steps.NUMBERS:
                file = Path(folder) / f"{step.run}{k}.gpkg"
                value = run(step, layer, "--k", k, "-o", file).document["bss_tss_all"]
                labels = labels_of(file)
                function, *arguments = step.peer
                theirs = peers.attempt(peers.pygeoda, layer.frame, layer.X, function, k, *arguments)
                same = theirs.labels is not None and adjusted_rand_score(labels, theirs.labels) == 1
                cells.append(digits(value) + ("" if same else f" (GeoDa {fit_of(theirs, layer.X, step)})"))
            rows.append([step.run, *cells])
    return table(["regions by", *(f"k = {k}" for k in steps.NUMBERS)], rows)


def validation(layer: Layer) -> str:
    """Measures of SKATER's six regions."""
    found = run(Step("", "skater --k 6"), layer).document["fragmentation"]
    ours = {
        **{"entropy": found["entropy"], "entropy*": found["entropy_normalized"]},
        **{"simpson": found["simpson"], "simpson*": found["simpson_normalized"]},
    }
    by_cluster = {"join count ratio": "join_count_ratio", "diameter steps": "diameter"}
    by_cluster |= {"diameter ratio": "diameter_ratio", "IPQ": "ipq_geoda"}
    by_cluster |= {"area": "area", "perimeter": "perimeter"}
    rows = []
    for name in (*ours, *by_cluster):
        said = published("Guerry", "validation of skater, k = 6", name).split(";")
        values = (
            [ours[name]] if name in ours else [cluster[by_cluster[name]] for cluster in found["clusters"]]
        )
        shown = [[f"{float(value):.4g}" for value in list_] for list_ in (said, values)]
        rows.append([name, *map(listed, shown)])
    said = published("Guerry", "make spatial output labels", "labels").split(";")
    equal = sum(a == b for a, b in zip(said, map(str, contiguous(layer)), strict=True))
    rows.append(["labels after make spatial", len(said), f"{equal} the same"])
    return table(["measure", "published", "here"], rows)


def contiguous(layer: Layer) -> np.ndarray:
    """Make the published labels contiguous, by the command."""
    given = published("Guerry", "make spatial input labels", "labels").split(";")
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "before.gpkg", Path(folder) / "after.gpkg"
        layer.frame.assign(cluster=[int(label) for label in given]).to_file(before)
        run_command("contiguous", before, *layer.words[1:], "-o", after)
        return labels_of(after, "contiguous")


def components(folder: Path) -> Layer | None:
    """Write the tracts with the first four principal components, and what the book groups by them."""
    layer = at_hand(steps.TRACTS)
    if layer is None:
        return None
    scores = layer.X @ np.linalg.svd(layer.X, full_matrices=False)[2][:4].T
    file = folder / "tracts.gpkg"
    layer.frame.assign(**{f"pc{one + 1}": scores[:, one] for one in range(4)}).to_file(file)
    return layer._replace(words=(file, "--columns", "pc1,pc2,pc3,pc4"))


def tracts() -> str:
    """WSS by k-means for every k."""
    with tempfile.TemporaryDirectory() as folder:
        layer = components(Path(folder))
        if layer is None:
            return ""
        study = run_command("choose-k", *layer.words, "--k", "2-20")
        found = {row["k"]: row for row in study.document["candidates"]}
        rows = [
            [k, said, digits(row["wss"], said)]
            for k, row in sorted(found.items())
            for said in [published("Chicago, tracts", f"kmeans, k = {k}", "WSS")]
        ]
    return table(["k", "the book", "here"], rows)


def others() -> str:
    """Single figures of other chapters."""
    rows = []

    def add(name: str, layer: Layer, which: tuple[Step, ...]) -> None:
        for step in which:
            said, value = published(name, step.run), run(step, layer).document["bss_tss_all"]
            command = f"`{step.words.replace('POP', layer.population)}`"
            rows.append([name, command, said, digits(value, said), verdict(step, said, value)])

    with tempfile.TemporaryDirectory() as folder:
        layer = components(Path(folder))
        if layer is not None:
            add("Chicago, tracts", layer, steps.TRACT_STEPS)
    layer = at_hand(steps.AREAS)
    if layer is not None:
        add("Chicago, areas", layer, steps.HIERARCHIES)
    return table(["layer", "command", "the book", "here", "why they differ"], rows) if rows else ""


def tables() -> dict[str, str]:
    """Return all tables by title, as far as there are layers for them."""
    found = {"places": places(), "tracts": tracts(), "other chapters": others()}
    atlas, departments = at_hand(steps.ATLAS), at_hand(steps.GUERRY)
    if atlas is not None:
        found["chapter"] = chapter(atlas)
    if departments is not None:
        found |= {"guerry": guerry(departments), "trees": trees(departments)}
        found["validation"] = validation(departments)
    return {title: text for title, text in found.items() if text}


MAPS = {
    "geoda-kmeans.png": "kmeans --k 12",
    "geoda-centroids.png": "kmeans --k 12 --with-centroids",
    "geoda-contiguous.png": "azp --k 12",
}


def draw(width: int = 560) -> None:
    """Draw the maps of the page in few colours."""
    from PIL import Image

    layer = at_hand(steps.ATLAS)
    if layer is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, words in MAPS.items():
            drawn = Path(folder) / name
            run(Step("", words), layer, "--map", drawn)
            with Image.open(drawn) as full:
                size = (width, round(full.height * width / full.width))
                small = full.convert("RGB").resize(size, Image.Resampling.LANCZOS)
            few = small.quantize(128, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)  # keeps rare fills
            few.save(DOCS / "images" / name, optimize=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/geoda.md")
    parser.add_argument("--pictures", action="store_true", help="draw the maps of docs/geoda.md and end")
    parser.add_argument("--ceara", type=Path, help="the book's layer: run the chapter on it and end")
    options = parser.parse_args()
    if options.pictures:
        draw()
    elif options.ceara:
        print(chapter(read(options.ceara, Data("", steps.BOOK_COLUMNS, population="pop"))))
    else:
        parts = {"machine": machine("scikit-learn", "pygeoda"), **tables()}
        publish(PAGE, "geoda", parts, write=options.write)


if __name__ == "__main__":
    main()
