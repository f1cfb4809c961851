"""The report as a page in a real browser: on a screen, a phone, in the dark and on paper."""

from __future__ import annotations

import json
import re

import geopandas
import numpy as np
import pytest
import shapely

import regionalize as rz
from regionalize.cli.program import run_program
from regionalize.io.sample import sample_path
from regionalize.maps.report.page import report_page
from regionalize.model.document import ClusterName, Document, Heading, Heat, Spread, Table

VARIABLES = ("--columns", "pct_rural,pct_pov,pct_black")
HOSTILE = (
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    '"onmouseover="window.hacked = 1" x=\'',
    "</style><style>body { display: none }</style>",
    "&lt;b&gt; ${window.hacked = 1} \u202e\u2028 日本",
)

STRUCTURE = """() => ({
    headings: document.querySelectorAll("h1").length,
    scripts: document.scripts.length,
    pictures: [...document.images].map(one => one.complete && one.naturalWidth > 0 && one.alt.length > 5),
    tables: document.querySelectorAll("table").length,
    unscoped: document.querySelectorAll("th:not([scope])").length,
    headless: [...document.querySelectorAll("tbody tr")].filter(row => row.cells[0].tagName != "TH").length,
    sideways: document.documentElement.scrollWidth - innerWidth,
    styled: document.querySelectorAll("[style]").length,
    hacked: window.hacked ?? 0,
})"""


def check_page(page, pictures=1):
    """See that a page is whole, and that nothing of it came from a name."""
    found = page.evaluate(STRUCTURE)
    assert found.pop("tables") > 0
    assert found.pop("pictures") == [True] * pictures
    assert found.pop("sideways") <= 0
    assert found == {
        "headings": 1,
        "scripts": 0,
        "unscoped": 0,
        "headless": 0,
        "styled": 0,
        "hacked": 0,
    }


@pytest.fixture
def cli(tmp_path):
    """Return `path = cli(words)`: the page that a command line writes."""

    def run(*words):
        path = tmp_path / "report.html"
        assert run_program(["-q", *map(str, words), "--report", str(path), "--overwrite"]) == 0
        return path

    return run


RUNS = {
    "kmeans": ("kmeans", "--k", 4, *VARIABLES),
    "weight": ("kmeans", "--k", 3, *VARIABLES, "--centroid-weight", "auto"),
    "kmedoids": ("kmedoids", "--k", 3, *VARIABLES, "--id", "name"),
    "kmedians": ("kmedians", "--k", 9, *VARIABLES),
    "schc": ("schc", "--k", "3,5,8", *VARIABLES),
    "hierarchical": ("hierarchical", "--k", 4, *VARIABLES),
    "dbscan": ("dbscan", "--eps", "25km"),
    "maxp": ("maxp", *VARIABLES, "--min-size", 30, "--iterations", 5),
    "choose-k": ("choose-k", "--k", "2-5", "--hops", "0,1", *VARIABLES),
    "compare": ("compare", "kmeans", "skater:k=5", "--k", 3, *VARIABLES),
    "stability": ("stability", "--k", 3, "--runs", 5, *VARIABLES),
}


@pytest.mark.parametrize("name", RUNS)
def test_every_kind_of_report_is_whole(name, cli, show):
    path = cli(*RUNS[name])
    page = show(path)
    check_page(page)
    command = page.locator("pre").inner_text()
    assert command.startswith(f"regionalize {RUNS[name][0]} ")
    assert page.title() == page.locator("h1").inner_text()
    assert page.locator("svg.curve").count() == (name == "weight")
    again = path.read_bytes()
    assert cli(*RUNS[name]).read_bytes() == again


def test_labels_that_exist_are_reported_too(cli, show, tmp_path):
    labelled, centers = tmp_path / "l.gpkg", tmp_path / "c.csv"
    made = ["-q", "kmeans", "--k", "4", *VARIABLES, "-o", str(labelled), "--centers", str(centers)]
    assert run_program(made) == 0
    for words in (
        ("validate", labelled, *VARIABLES),
        ("contiguous", labelled, *VARIABLES),
        ("assign", labelled, "--centers", centers),
    ):
        check_page(show(cli(*words)))


def test_numbers_are_those_of_the_json(cli, show, tmp_path):
    page = show(cli("kmeans", "--k", 4, *VARIABLES))
    assert run_program(["-q", "kmeans", "--k", "4", *VARIABLES, "--report", str(tmp_path / "r.json")]) == 0
    report = json.loads((tmp_path / "r.json").read_text())
    figures = dict(
        zip(
            page.locator("dt").all_inner_texts(),
            page.locator("dd").all_inner_texts(),
            strict=True,
        )
    )
    assert figures["clusters"] == "4"
    assert float(figures["BSS/TSS"]) == pytest.approx(report["bss_tss_all"], abs=5e-5)
    profile = page.locator("section", has=page.locator("h2", has_text="Profiles")).locator("table").first
    rows = [row.split("\t") for row in profile.locator("tbody").inner_text().splitlines()]
    means = [[float(re.split(" ± ", cell)[0]) for cell in row[1:]] for row in rows[:-1]]
    np.testing.assert_allclose(means, report["profiles"]["mean"], rtol=2e-3)
    heat = page.locator("table.heat").first
    z = [
        [float(cell.replace("\N{MINUS SIGN}", "-")) for cell in row.split("\t")[1:]]
        for row in heat.locator("tbody").inner_text().splitlines()
    ]
    np.testing.assert_allclose(z, report["profiles"]["z"], atol=0.005)


def test_hostile_names_stay_text(show, tmp_path):
    x, y = (a.ravel() for a in np.meshgrid(np.arange(4.0), np.arange(4.0)))
    rng = np.random.default_rng(1)
    frame = geopandas.GeoDataFrame(
        {name: rng.normal(size=16) for name in HOSTILE[:3]} | {HOSTILE[4]: rng.normal(size=16)},
        geometry=shapely.box(x, y, x + 1, y + 1),
        crs="EPSG:32633",
    )
    frame["label"] = [HOSTILE[number % 4] for number in range(16)]
    file = tmp_path / "<img src=x onerror=alert(1)>'&quot;.parquet"
    frame.to_parquet(file)
    page_file = tmp_path / "p.html"
    words = ["-q", "validate", str(file), "--label-column", "label", "--report", str(page_file)]
    assert run_program(words) == 0
    page = show(page_file)
    check_page(page)
    text = page.locator("main").inner_text()
    for name in HOSTILE[:4]:
        assert name in text
    assert file.name in page.locator("h1").inner_text()
    assert page.locator("main").is_visible()
    found = rz.regionalize(frame.drop(columns="label"), k=3)
    check_page(show(found.write_report(page_file)))


def test_a_table_has_no_map(show, tmp_path):
    frame = geopandas.read_file(sample_path()).drop(columns="geometry")
    found = rz.regionalize(frame, k=3, columns=["pct_rural", "pct_pov"])
    check_page(show(found.write_report(tmp_path / "t.html")), pictures=0)


def test_long_names_are_broken_into_lines_and_not_cut(show, tmp_path):
    long = "a_very_long_name_without_any_blank_" * 6
    rows = tuple((long if number == 1 else f"unit {number}", number, f"{long} reason") for number in range(3))
    path = tmp_path / "long.html"
    table = Table(("unit", "n", long), rows)
    path.write_text(report_page(Document("Long", (Heading("Names"), table))), encoding="utf-8")
    for media in ("screen", "print"):
        page = show(path, viewport={"width": 673, "height": 900})
        page.emulate_media(media=media)
        cut = page.locator("th, td").evaluate_all(
            "all => all.filter(one => one.offsetParent && one.scrollWidth > one.clientWidth + 1).length"
        )
        assert cut == 0
        assert page.locator("table:visible").first.bounding_box()["width"] <= 673
        assert long in page.locator("table:visible").first.inner_text()


STEPS = tuple(float(z) for z in np.arange(-3.0, 3.01, 0.25))

CONTRAST = """cells => cells.map(cell => {
    const light = color => {
        const [r, g, b] = color.match(/[0-9.]+/g).slice(0, 3).map(Number).map(part => {
            const share = part / 255;
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const style = getComputedStyle(cell);
    const [low, high] = [light(style.color), light(style.backgroundColor)].sort((a, b) => a - b);
    return [(high + 0.05) / (low + 0.05), style.backgroundColor];
})"""


@pytest.fixture
def large(tmp_path):
    """Return a page with a table of 30 clusters by 60 variables, and one of all colours."""
    clusters = tuple(ClusterName(label, str(label)) for label in range(1, 31))
    rng = np.random.default_rng(2)
    cells = rng.normal(500, 200, size=(60, 30))
    rows = tuple((f"variable_{place}", *(Spread(x, 12.5) for x in row)) for place, row in enumerate(cells))
    blocks = (
        Heading("Profiles"),
        Table(("variable", *clusters), rows, "Means.", by_row=True),
        Heat(("cluster", *map(str, STEPS)), (("z", *STEPS),), "Steps."),
        Table(("n", "value"), tuple((n, n / 7) for n in range(100)), "Long."),
    )
    path = tmp_path / "large.html"
    path.write_text(report_page(Document("Large", blocks)), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_colours_of_z_are_readable_and_say_the_sign(scheme, large, show):
    page = show(large, color_scheme=scheme if scheme != "print" else "dark")
    if scheme == "print":
        page.emulate_media(media="print")
    shown = ".screen td.z" if scheme != "print" else ".paper td.z"
    found = page.locator(shown).evaluate_all(CONTRAST)
    assert len(found) == len(STEPS)
    assert min(contrast for contrast, _ in found) >= 4.5
    fills = [tuple(map(int, re.findall(r"\d+", fill)[:3])) for _, fill in found]
    for z, (red, _, blue) in zip(STEPS, fills, strict=True):
        if abs(z) >= 0.25:
            assert (blue > red) == (z < 0)
    assert len(set(fills)) == 11
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper)[:3])) < 200) == (scheme == "dark")


def test_a_phone_scrolls_tables_and_not_the_page(large, show):
    page = show(large, viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    boxes = page.locator(".box").evaluate_all("all => all.map(one => one.scrollWidth - one.clientWidth)")
    assert boxes[0] > 1000
    box = page.locator(".box").first
    box.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(500)  # it glides
    assert page.evaluate("document.querySelector('.box').scrollLeft") > 0


def test_paper_holds_all_columns_and_keeps_colours(large, show):
    page = show(large, viewport={"width": 673, "height": 900})  # 178 mm: A4 within the margins
    page.emulate_media(media="print")
    tables = page.locator(".paper").first.locator("table")
    widths = tables.evaluate_all("all => all.map(one => one.getBoundingClientRect().width)")
    assert len(widths) > 4
    assert max(widths) <= 673
    assert page.locator(".box.screen").first.is_hidden()
    heads = tables.evaluate_all(
        "all => all.map(one => [...one.tHead.rows[0].cells].map(cell => cell.innerText))"
    )
    assert [head for part in heads for head in part[1:]] == [str(label) for label in range(1, 31)]
    assert {part[0] for part in heads} == {"variable"}
    adjust = "getComputedStyle(document.querySelector('td.z')).printColorAdjust"
    assert page.evaluate(adjust) == "exact"
    rules = page.evaluate(
        "['tr', 'h2'].map(one => getComputedStyle(document.querySelector(one)))"
        ".map(style => [style.breakInside, style.breakAfter])"
    )
    assert rules[0][0] == "avoid"
    assert rules[1][1] == "avoid"
    printed = page.pdf(prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) > 5
    boxes = set(re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", printed))
    assert {(round(float(w)), round(float(h))) for w, h in boxes} == {(595, 842)}  # A4 in points
