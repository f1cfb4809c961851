"""Names: of files, folders and layers, as people and programs make them."""

from __future__ import annotations

import pytest
from corpus import Command, Corpus

corpus = Corpus()
KMEANS = ("kmeans", "--k", 3, "--columns", "a,b")

NAMES = {
    "spaces": " two  spaces ",
    "letters_of_other_scripts": "Çeşme 東京 Ελλάδα",
    "letters_put_together": "e\u0301te\u0301",
    "emoji": "\U0001f5fa\ufe0f map",
    "quotes": 'o\'clock "now"',
    "a_percent_sign": "100%25 %s",
    "a_question_mark": "what?x=1",
    "a_semicolon": "a;b",
    "an_exclamation_mark": "a!b",
    "a_hash": "a#b",
    "an_ampersand_and_dollars": "a&b $HOME `id`",
    "brackets_and_stars": "[a]{b}*",
    "a_backslash": "a\\b",
    "a_newline": "a\nb",
    "two_dots": "a..b",
    "a_dot_in_front": ".hidden",
    "a_reserved_word": "con",
    "a_word_of_sql": "select",
    "sql": "x'); DROP TABLE y; --",
    "a_driver": "CSV:in",
    "a_very_long_name": "n" * 200,
    "writing_from_right_to_left": "\u05d0\u202e\u05d1",
}


def named(name, ending):
    """Put in and out under a name; the layer within is called so, too."""

    def build(make):
        path = make.save(make.grid(), f"in{ending}").rename(make.folder / f"{name}{ending}")
        return make.run(path, output=f"{name} out{ending}")

    build.__name__ = next(key for key, value in NAMES.items() if value == name) + ending.replace(".", "_in_")
    return build


for name in NAMES.values():
    corpus.works()(named(name, ".gpkg"))
for name in (NAMES["letters_of_other_scripts"], NAMES["quotes"], NAMES["a_semicolon"], NAMES["emoji"]):
    for ending in (".geojson", ".parquet", ".fgb"):
        corpus.works()(named(name, ending))


@corpus.works()
def a_dash_in_front(make):
    """After two dashes, what begins with one is a name."""
    make.layer().rename(make.folder / "-in.gpkg")
    args = (*KMEANS, "-o", "./-out.gpkg", "--", "-in.gpkg")
    return Command(args, make.folder / "-in.gpkg", make.folder / "-out.gpkg")


@corpus.refused("there is no option -i", code=2)
def a_dash_in_front_without_a_word(make):
    make.layer().rename(make.folder / "-in.gpkg")
    return make.command(*KMEANS, "-in.gpkg")


@corpus.refused("name", code=1)
def a_name_longer_than_the_disk_takes(make):
    return make.run(make.layer(), output="n" * 300 + ".gpkg")


@corpus.works()
def a_folder_of_an_odd_name(make):
    (make.folder / "a;b!c d").mkdir()
    return make.run(make.layer().rename(make.folder / "a;b!c d" / "in.gpkg"), output="a;b!c d/out.gpkg")


@corpus.works(kept=(), holds=lambda out: len(out) == 25)
def a_layer_of_an_odd_name(make):
    path = make.folder / "in.gpkg"
    make.grid().to_file(path, layer='o\'clock; "x" --')
    return make.run(path, "--output-layer", 'say "it\'s" %s')


@corpus.refused("INPUT is empty", code=2)
def an_empty_name(make):
    return make.command(*KMEANS, "")


@corpus.refused("no folder")
def an_output_in_a_folder_that_is_not_there(make):
    return make.run(make.layer(), output="no where/out.gpkg")


test_names = pytest.mark.unix(corpus.test())
