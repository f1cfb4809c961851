"""The interactive map in a real browser: what a person sees, clicks, types and hears."""

from __future__ import annotations

import io

import numpy as np
import pytest
import shapely

from regionalize.maps.colors import NOISE_COLOR, PALETTE
from regionalize.maps.web.page import Coloring, Units, draw_page

GRID = shapely.box(
    *(1000.0 * axis.ravel() for axis in np.meshgrid([0, 1, 2], [0, 1, 2])),
    *(1000.0 * (axis.ravel() + 1) for axis in np.meshgrid([0, 1, 2], [0, 1, 2])),
)
"""Nine squares, row by row from the south-west: the fifth is in the middle."""
LABELS = [1, 1, 2, 2, 2, 3, 3, 3, 3]
IDS = ["Ain", "Aisne", "Allier", "Ardèche", "Corse", "Gard", "Gers", "Jura", "Lot"]
VALUES = {"people": [10, 20, 30, 40, 1234567, 60, 70, 80, None], "share": [0.5] * 9, "note": ["a"] * 9}

UTM = "EPSG:32631"


@pytest.fixture
def drawn(tmp_path):
    """Return `path = drawn(...)`: a page in a file."""

    def write(geometry=GRID, colorings=None, name="map.html", **options):
        path = tmp_path / name
        options = {"title": "Nine squares", "units": Units(IDS, "dept", VALUES), "crs": UTM} | options
        draw_page(geometry, colorings or [Coloring.of_clusters("plan", LABELS)], path, **options)
        return path

    return write


def settled(page):
    """Wait until everything is painted."""
    page.wait_for_selector('#stage[aria-busy="false"]')
    page.wait_for_timeout(350)  # what glides has arrived, what follows has begun
    page.wait_for_selector('#stage[aria-busy="false"]')
    return page


def middle(page):
    box = page.locator("#map").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def color_at(page, x, y):
    """Colour of a pixel as the screen shows it."""
    from PIL import Image

    with Image.open(io.BytesIO(page.screenshot())) as image:
        scale = image.width / page.viewport_size["width"]
        return "#{:02x}{:02x}{:02x}".format(
            *image.convert("RGB").getpixel((round(x * scale), round(y * scale)))
        )


def hover(page, dx=0, dy=0):
    """Point at a place, in pixels from the middle of the map; return what is told."""
    x, y = middle(page)
    page.mouse.move(x + dx, y + dy)
    page.wait_for_timeout(80)
    return page.locator("#tip")


def pressed(page):
    buttons = page.locator("#legend li button")
    return [
        place
        for place in range(buttons.count())
        if buttons.nth(place).get_attribute("aria-pressed") == "true"
    ]


def test_the_page_says_what_it_shows(show, drawn):
    page = settled(show(drawn(subtitle="in three parts", footer="nine.gpkg; k 3")))
    assert page.title() == page.locator("h1").inner_text() == "Nine squares"
    assert page.locator("header").locator("p").first.inner_text() == "in three parts"
    assert "nine.gpkg; k 3" in page.locator("footer").inner_text()
    entries = page.locator("#legend li").all_inner_texts()
    assert [" ".join(entry.split()) for entry in entries] == ["1 2", "2 3", "3 4"]
    assert page.locator("#bar").inner_text() == "500 m"
    assert page.locator("#chooser").is_hidden()
    assert page.locator("#map").get_attribute("aria-label") == "Nine squares: plan, 9 units"


def test_units_have_the_colour_of_their_cluster(show, drawn):
    page = settled(show(drawn()))
    x, y = middle(page)
    side = page.evaluate("document.getElementById('map').clientHeight") / 3 - 12
    for row, label in enumerate(LABELS):
        place = x + (row % 3 - 1) * side, y - (row // 3 - 1) * side
        assert color_at(page, *place) == PALETTE[label - 1], IDS[row]


def test_the_scale_bar_is_as_long_as_it_says(show, drawn):
    page = settled(show(drawn()))
    bar = page.locator("#bar span").bounding_box()["width"]
    square = (page.evaluate("document.getElementById('map').clientHeight") - 36) / 3  # 1 km, margins of 18
    assert bar == pytest.approx(square / 2, abs=1.5)
    page.keyboard.press("+")
    page.keyboard.press("+")
    settled(page)
    assert page.locator("#bar").inner_text() == "200 m"


def test_no_scale_bar_without_a_projection(show, drawn):
    page = settled(show(drawn(crs=None)))
    assert page.locator("#bar").is_hidden()


def test_hovering_tells_the_unit(show, drawn):
    page = settled(show(drawn()))
    tip = hover(page)
    assert tip.inner_text().split() == [
        *("Corse", "cluster:", "2"),
        *("people", "1,234,567", "share", "0.5", "note", "a"),
    ]
    side = page.evaluate("document.getElementById('map').clientHeight") / 3 - 12
    assert "Lot" in hover(page, side, -side).inner_text()
    assert "people\n–" in tip.inner_text()  # missing
    hover(page, 2 * side, 0)
    assert tip.is_hidden()


@pytest.mark.parametrize("key", ["+", "-", "0", "ArrowLeft", "Home", "n", "p", "2"])
def test_what_was_pointed_at_is_told_no_longer_when_keys_move_or_change_the_map(show, drawn, key):
    plans = [Coloring.of_clusters("one", LABELS), Coloring.of_clusters("two", LABELS[::-1])]
    page = settled(show(drawn(colorings=plans)))
    tip = hover(page)
    assert "Corse" in tip.inner_text()
    page.keyboard.press(key)
    settled(page)
    assert tip.is_hidden()
    assert hover(page, 1).is_visible()


def test_what_was_pointed_at_is_told_no_longer_when_another_unit_is_found(show, drawn):
    page = settled(show(drawn()))
    tip = hover(page)
    page.keyboard.press("/")
    page.keyboard.type("lot")
    assert tip.is_visible()
    page.keyboard.press("Enter")
    settled(page)
    assert tip.is_hidden()


def test_a_legend_entry_isolates_its_cluster(show, drawn):
    page = settled(show(drawn()))
    x, y = middle(page)
    entries = page.locator("#legend li button")
    entries.nth(2).click()
    settled(page)
    assert pressed(page) == [2]
    assert (
        page.locator("#legend button").evaluate_all("all => all.map(one => getComputedStyle(one).opacity)")
        == ["1"] * 4
    )  # faded words would be hard to read
    assert page.locator("#say").inner_text() == "cluster 3: 4 of 9 units"
    faded = color_at(page, x, y)
    assert faded != PALETTE[1]
    assert min(int(faded[i : i + 2], 16) for i in (1, 3, 5)) > 200
    entries.nth(1).click()  # several may be chosen
    settled(page)
    assert pressed(page) == [1, 2]
    assert color_at(page, x, y) == PALETTE[1]
    entries.nth(1).click()
    assert pressed(page) == [2]
    page.keyboard.press("Escape")
    settled(page)
    assert pressed(page) == []
    assert color_at(page, x, y) == PALETTE[1]
    entries.nth(0).click()
    page.get_by_role("button", name="Show all").click()
    assert pressed(page) == []


def test_search_finds_marks_and_says_when_it_does_not(show, drawn):
    page = settled(show(drawn()))
    field = page.get_by_role("combobox", name="Find dept")
    field.fill("ardeche")  # without its accent
    assert page.locator("#offers option").evaluate_all("all => all.map(one => one.value)") == ["Ardèche"]
    field.press("Enter")
    settled(page)
    assert page.locator("#say").inner_text() == "dept Ardèche, cluster 2"
    assert "Ardèche" in page.locator("#unit").inner_text()
    assert "Ardèche" in hover(page).inner_text()  # it is in the middle now, and larger
    field.fill("nowhere")
    field.press("Enter")
    assert page.locator("#say").inner_text() == "nothing found for “nowhere”"
    field.fill("a")
    found = []
    for _ in range(3):
        field.press("Enter")
        found.append(page.locator("#unit h2").inner_text())
    assert found == ["Ain", "Aisne", "Allier"]  # those that begin with it, in order
    assert page.locator("#say").inner_text().endswith("(3 of 6)")


def test_everything_works_with_keys_alone(show, drawn):
    page = settled(show(drawn()))
    page.locator("#map").focus()
    for key, wanted in (("n", "Ain"), ("n", "Aisne"), ("p", "Ain"), ("p", "Lot"), ("n", "Ain")):
        page.keyboard.press(key)
        assert page.locator("#unit h2").inner_text() == wanted
    page.keyboard.press("Escape")
    assert page.locator("#unit").is_hidden()
    before = page.locator("#bar span").bounding_box()["width"]
    for key in ("+", "ArrowLeft", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        settled(page)
    assert "Corse" not in hover(page).inner_text()
    page.keyboard.press("0")
    settled(page)
    assert "Corse" in hover(page).inner_text()
    assert page.locator("#bar span").bounding_box()["width"] == before
    page.keyboard.press("/")
    page.keyboard.type("jura 1n0")  # digits and letters are text here
    assert page.locator("#wanted").input_value() == "jura 1n0"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "map"


def test_stepping_stays_within_the_clusters_chosen(show, drawn):
    page = settled(show(drawn()))
    page.locator("#legend li button").nth(1).focus()
    page.keyboard.press("Enter")
    names = []
    for _ in range(4):
        page.keyboard.press("n")
        names.append(page.locator("#unit h2").inner_text())
    assert names == ["Allier", "Ardèche", "Corse", "Allier"]


def test_the_focus_is_seen_and_goes_everywhere(show, drawn):
    page = settled(show(drawn(colorings=[Coloring.of_clusters(name, LABELS) for name in ("one", "two")])))
    seen = []
    for _ in range(13):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"
    wanted = ["map", "nearer", "farther", "whole", "coloring", "wanted", "BUTTON", "SUMMARY", *["BUTTON"] * 3]
    assert seen[: len(wanted)] == wanted


def test_wheel_and_drag(show, drawn):
    page = settled(show(drawn()))
    x, y = middle(page)
    side = page.evaluate("document.getElementById('map').clientHeight") / 3 - 12
    page.mouse.move(x + side, y)  # Gard
    for _ in range(6):
        page.mouse.wheel(0, -100)
    settled(page)
    assert "Gard" in hover(page, side).inner_text()  # what is under the pointer stays there
    page.mouse.move(x + side, y)
    page.mouse.down()
    page.mouse.move(x + side / 2, y, steps=4)
    page.mouse.move(x, y, steps=4)
    page.mouse.up()
    settled(page)
    assert "Gard" in hover(page).inner_text()
    assert page.locator("#unit").is_hidden()  # a drag is no click
    page.mouse.click(x, y)
    assert "Gard" in page.locator("#unit").inner_text()
    page.get_by_role("button", name="Show the whole map").click()
    settled(page)
    assert "Corse" in hover(page).inner_text()


def test_a_labeling_is_chosen_by_list_and_by_digit(show, drawn):
    shares = np.array([1.0, 0.95, 0.8, 0.6, 0.1, np.nan, 1.0, 1.0, 1.0])
    page = settled(
        show(
            drawn(
                colorings=[
                    Coloring.of_clusters("plan", LABELS, detail="the plan"),
                    Coloring.of_clusters("other", [1] * 8 + [0], names={1: "north"}, detail="the other"),
                    Coloring.of_shares("stability", shares, legend_title="kept", regions=LABELS),
                ],
                shown=1,
            )
        )
    )
    x, y = middle(page)
    chooser = page.get_by_label("Labeling")
    assert chooser.input_value() == "1"
    assert page.locator("#legend li").first.inner_text().split() == ["north", "8"]
    assert color_at(page, x, y) == PALETTE[0]
    chooser.select_option("plan")
    settled(page)
    assert color_at(page, x, y) == PALETTE[1]
    assert page.locator("#detail").inner_text() == "the plan"
    page.locator("#map").focus()
    page.keyboard.press("3")
    settled(page)
    assert chooser.input_value() == "2"
    from regionalize.maps.colors import SHADES

    assert color_at(page, x, y) == SHADES[0]
    entries = [" ".join(text.split()) for text in page.locator("#legend li").all_inner_texts()]
    assert entries[0] == "99 % and more 4"
    assert entries[-1] == "no data 1"
    page.keyboard.press("9")  # there is none
    assert chooser.input_value() == "2"
    assert hover(page).inner_text().split("\n")[:4] == [
        "Corse",
        "kept: below 50 %",
        "plan: cluster: 2",
        "other: cluster: north",
    ]


def test_clusters_are_outlined_when_that_is_asked(show, drawn):
    """No dark line between the first two squares, of one cluster; one between the second and the third."""

    def darkest(page, column):
        x, y = middle(page)
        side = page.evaluate("document.getElementById('map').clientHeight") / 3 - 12
        colors = [color_at(page, x + (column - 1.5) * side + dx, y + side) for dx in range(-3, 4)]
        return min(sum(int(color[i : i + 2], 16) for i in (1, 3, 5)) for color in colors)

    plain, outlined = (settled(show(drawn(dissolve_lines=lines))) for lines in (False, True))
    ink = 3 * 0x40
    assert darkest(outlined, 2) < ink < min(darkest(outlined, 1), darkest(plain, 1), darkest(plain, 2))
    shares = Coloring.of_shares("kept", np.ones(9) * 0.6, regions=LABELS)
    shaded = settled(show(drawn(colorings=[shares])))
    assert darkest(shaded, 2) < ink < darkest(shaded, 1)


def test_dark_mode(show, drawn):
    labels = [0, *LABELS[1:]]
    path = drawn(colorings=[Coloring.of_clusters("plan", labels)])
    page = settled(show(path, color_scheme="dark"))
    x, y = middle(page)
    assert color_at(page, x, y) == PALETTE[1]  # clusters keep their colours
    side = page.evaluate("document.getElementById('map').clientHeight") / 3 - 12
    assert color_at(page, x - side, y + side) not in (NOISE_COLOR, "#ffffff")  # greys are darker
    assert sum(int(color_at(page, x + 2 * side, y)[i : i + 2], 16) for i in (1, 3, 5)) < 100
    page.emulate_media(color_scheme="light")
    settled(page)
    assert color_at(page, x - side, y + side) == NOISE_COLOR
    assert color_at(page, x + 2 * side, y) == "#ffffff"


def test_paper_is_white_and_has_the_legend(show, drawn):
    page = settled(show(drawn(), color_scheme="dark"))
    page.locator("#legend summary").click()  # closed on the screen
    assert page.pdf()[:5] == b"%PDF-"
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#legend li").first.is_visible()
    assert page.locator("#buttons").is_hidden()
    assert page.locator("#search").is_hidden()
    x, y = middle(page)
    assert color_at(page, x, y) == PALETTE[1]
    box = page.locator("#map").bounding_box()
    assert color_at(page, box["x"] + 3, box["y"] + 3) == "#ffffff"


def test_no_motion_for_who_wants_none(show, drawn):
    page = settled(show(drawn(), reduced_motion="reduce"))
    before = page.locator("#bar span").bounding_box()["width"]
    page.locator("#nearer").click()
    page.wait_for_selector('#stage[aria-busy="false"]')
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    told = page.locator("#bar").inner_text(), page.locator("#bar span").bounding_box()["width"]
    page.wait_for_timeout(300)
    assert told == (page.locator("#bar").inner_text(), page.locator("#bar span").bounding_box()["width"])
    assert told[0] != "500 m" or told[1] != before


def test_on_a_phone(show, drawn):
    page = settled(
        show(
            drawn(),
            viewport={"width": 390, "height": 780},
            device_scale_factor=3,
            has_touch=True,
            is_mobile=True,
        )
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    stage, legend = (page.locator(name).bounding_box() for name in ("#stage", "#legend"))
    assert legend["y"] >= stage["y"] + stage["height"]
    for target in page.locator("button:visible, input:visible, summary:visible").all():
        box = target.bounding_box()
        assert box["height"] >= 44
        assert box["width"] >= 44
    x, y = middle(page)
    page.touchscreen.tap(x, y)
    settled(page)
    assert "Corse" in page.locator("#tip").inner_text()
    assert page.locator("#tip").is_visible()  # also when the finger has left
    assert "Corse" in page.locator("#unit").inner_text()
    page.locator("#nearer").tap()
    assert page.locator("#tip").is_hidden()
    page.locator("#whole").tap()
    settled(page)
    assert page.evaluate("document.getElementById('map').width") == 3 * 390  # sharp on a dense screen
    page.locator("#legend summary").click()
    assert page.locator("#legend li").first.is_hidden()


def test_pinching_zooms_about_the_fingers(show, drawn):
    page = settled(show(drawn(), viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True))
    x, y = middle(page)
    before = page.locator("#bar span").bounding_box()["width"], page.locator("#bar").inner_text()
    touch = page.context.new_cdp_session(page)

    def fingers(kind, apart):
        at = [] if kind == "touchEnd" else [{"x": x - apart, "y": y}, {"x": x + apart, "y": y}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    fingers("touchStart", 20)
    for apart in range(25, 125, 10):
        fingers("touchMove", apart)
    fingers("touchEnd", 0)
    settled(page)
    after = page.locator("#bar span").bounding_box()["width"], page.locator("#bar").inner_text()
    metres = [int(text.split()[0]) / width for width, text in (before, after)]
    assert metres[0] / metres[1] == pytest.approx(115 / 20, rel=0.05)  # fingers apart, ending at 115
    assert page.locator("#unit").is_hidden()


@pytest.mark.parametrize("kind", ["points", "lines", "mixed"])
def test_points_and_lines_are_hovered_nearby(show, drawn, kind):
    x, y = (axis.ravel() for axis in np.meshgrid([500.0, 1500, 2500], [500.0, 1500, 2500]))
    points = shapely.points(x, y)
    lines = shapely.linestrings(
        np.stack([np.column_stack([x, y - 400]), np.column_stack([x, y + 400])], axis=1)
    )
    geometry = {"points": points, "lines": lines, "mixed": np.where(np.arange(9) % 2, lines, points)}[kind]
    page = settled(show(drawn(geometry)))
    assert "Corse" in hover(page, 3, 0).inner_text()
    x, y = middle(page)
    page.mouse.move(5, 5)
    page.wait_for_timeout(80)
    settled(page)
    assert color_at(page, x, y) == PALETTE[1]
    hover(page, 60, 0)
    assert page.locator("#tip").is_hidden()


def test_rows_without_a_geometry_are_said_and_found(show, drawn):
    geometry = GRID.copy()
    geometry[0] = None
    page = settled(show(drawn(geometry)))
    assert "1 row without a geometry" in page.locator("#notes").inner_text()
    page.get_by_role("combobox").fill("Ain")
    page.keyboard.press("Enter")
    assert page.locator("#say").inner_text() == "dept Ain, cluster 1, without a place on the map"


HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" \'',
    "a\u2028b\u2029c\x00d\x1b[31m",
    "lone \ud800 surrogate",
    "\u202egnp.exe\u202c مرحبا بالعالم",
    "<!--<script>",
    "very long " * 200,
    "${alert(1)} {{7*7}} \\u003cscript\\u003e &lt;b&gt; &amp;",
]


def test_hostile_names_are_text(show, drawn):
    from regionalize.maps.text import clean

    wanted = [clean(name) for name in HOSTILE]
    units = Units(HOSTILE, HOSTILE[0], dict.fromkeys(HOSTILE, HOSTILE))
    colorings = [
        Coloring.of_clusters(
            name, LABELS, {1: HOSTILE[0], 2: HOSTILE[1], 3: HOSTILE[7]}, legend_title=HOSTILE[0], detail=name
        )
        for name in HOSTILE
    ]
    path = drawn(
        units=units,
        colorings=colorings,
        title=HOSTILE[0] + HOSTILE[1],
        subtitle=HOSTILE[6],
        footer=" ".join(HOSTILE),
        name="'\"<img src=x onerror=alert(1)>.html",
    )
    page = settled(show(path))
    assert page.title() == clean(HOSTILE[0] + HOSTILE[1])
    assert page.locator("h1").inner_text() == page.title()
    assert page.locator("#legend summary").inner_text() == wanted[0]
    assert wanted[1] in page.locator("#legend li").nth(1).inner_text()
    assert page.locator("#coloring option").all_text_contents() == wanted
    for name in wanted:
        page.keyboard.press("n")
        assert page.locator("#unit h2").text_content() == name
        assert page.locator("#unit dt").all_text_contents() == wanted
        assert page.locator("#unit dd").first.text_content() == name
    for digit in "19":
        page.keyboard.press(digit)
    hover(page)
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2  # the data, and ours
    assert page.evaluate("document.documentElement.scrollWidth") <= 1000  # long names are broken, not endless
    page.locator("#wanted").fill(wanted[1])
    page.locator("#wanted").press("Enter")
    assert page.locator("#unit h2").text_content() == wanted[1]


def test_the_policy_lets_nothing_else_run(show, drawn):
    """What found its way into the page all the same would not run, nor ask anybody for anything."""
    page = settled(show(drawn()))
    refused = page.evaluate(
        """() => new Promise(done => {
          const found = [];
          document.addEventListener('securitypolicyviolation', event => {
            found.push(event.effectiveDirective);
            if (found.length === 3) done(found.sort());
          });
          const script = document.createElement('script');
          script.textContent = 'window.ran = true';
          document.body.append(script);
          const image = document.createElement('img');
          image.src = 'https://example.org/x.png';
          document.body.append(image);
          const button = document.createElement('b');
          button.setAttribute('onclick', 'window.ran = true');
          document.body.append(button);
          button.click();
        })"""
    )
    assert refused == ["img-src", "script-src-attr", "script-src-elem"]
    assert page.evaluate("window.ran") is None
    assert len(show.faults) == 4  # three complaints, and a request that was never sent
    show.faults.clear()
