"""Weights files: of other layers, damaged, one-sided, and as other programs write them."""

from __future__ import annotations

import numpy as np
from corpus import Corpus

corpus = Corpus()
N = 25
SKATER = ("skater", "--k", 3, "--columns", "a,b", "--id", "code")


def whole(out):
    return set(out["cluster"].dropna()) == {1, 2, 3}


def neighbours(n=N):
    """A chain: every unit with the one before and the one after."""
    return {i: [j for j in (i - 1, i + 1) if 1 <= j <= n] for i in range(1, n + 1)}


def gal(links, head="0 25 in code"):
    return head + "\n" + "".join(f"{i} {len(js)}\n{' '.join(map(str, js))}\n" for i, js in links.items())


def gwt(links, head="0 25 in code", weight="1.5"):
    return head + "\n" + "".join(f"{i} {j} {weight}\n" for i, js in links.items() for j in js)


def using(make, name, content, **columns):
    make.text(name, content)
    source = make.layer(**{"code": np.arange(1, N + 1), **columns})
    return make.run(source, "--weights", name, command=SKATER)


@corpus.works(holds=whole)
def a_chain_in_gal(make):
    return using(make, "w.gal", gal(neighbours()))


@corpus.works(holds=whole)
def a_chain_in_gwt(make):
    return using(make, "w.gwt", gwt(neighbours()))


@corpus.works(holds=whole)
def windows_line_ends_and_tabs(make):
    return using(make, "w.gal", gal(neighbours()).replace("\n", "\r\n").replace(" ", "\t"))


@corpus.works(holds=whole)
def a_head_of_one_number(make):
    """As old GeoDa writes it."""
    return using(make, "w.gal", gal(neighbours(), head="25"))


@corpus.works(holds=whole)
def units_in_another_order(make):
    links = neighbours()
    return using(make, "w.gal", gal({i: links[i] for i in sorted(links, reverse=True)}))


@corpus.works(holds=whole)
def ids_that_are_text(make):
    text = gal(neighbours())
    head, rest = text.split("\n", 1)
    lines = rest.splitlines()
    named = [
        " ".join([f"u{line.split()[0]}", line.split()[1]])
        if at % 2 == 0
        else " ".join(f"u{i}" for i in line.split())
        for at, line in enumerate(lines)
    ]
    return using(make, "w.gal", "\n".join([head, *named, ""]), code=[f"u{i}" for i in range(1, N + 1)])


@corpus.refused("w.gal", "99")
def a_unit_that_the_layer_does_not_have(make):
    return using(make, "w.gal", gal({**neighbours(), 25: [24, 99]}))


@corpus.refused("w.gal", "24", "25")
def a_unit_that_the_file_does_not_have(make):
    return using(make, "w.gal", gal(neighbours(24), head="0 24 in code"))


@corpus.refused("w.gal", "row")
def a_number_of_units_that_is_wrong(make):
    return using(make, "w.gal", gal(neighbours(), head="0 26 in code"))


@corpus.refused("w.gal", "row")
def a_number_of_neighbours_that_is_wrong(make):
    return using(make, "w.gal", gal(neighbours()).replace("\n13 2\n", "\n13 3\n"))


@corpus.refused("w.gal", "13")
def a_unit_twice(make):
    text = gal(neighbours())
    return using(make, "w.gal", text.replace("\n14 2\n", "\n13 2\n"))


@corpus.refused("w.gal", "truncated")
def a_file_cut_short(make):
    text = gal(neighbours())
    return using(make, "w.gal", text[: len(text) // 2].rsplit("\n", 2)[0] + "\n")


@corpus.refused("w.gal")
def words_in_place_of_weights(make):
    return using(make, "w.gal", "dear diary, this is no file of weights\n")


@corpus.refused("w.gal", "empty")
def nothing_at_all(make):
    return using(make, "w.gal", "")


@corpus.refused("w.gwt", "weight")
def a_weight_that_is_no_number(make):
    return using(make, "w.gwt", gwt(neighbours(), weight="near"))


@corpus.refused("w.gwt", "negative")
def a_weight_below_zero(make):
    return using(make, "w.gwt", gwt(neighbours(), weight="-1"))


@corpus.refused("w.gwt", "weight")
def a_weight_that_is_not_finite(make):
    return using(make, "w.gwt", gwt(neighbours(), weight="inf"))


@corpus.refused("w.gwt", "weight")
def a_weight_that_is_nan(make):
    return using(make, "w.gwt", gwt(neighbours(), weight="nan"))


@corpus.works("24 links are not returned by the neighbour", holds=whole)
def links_that_go_one_way(make):
    return using(make, "w.gal", gal({i: [j for j in js if j > i] for i, js in neighbours().items()}))


@corpus.works("itself", holds=whole)
def a_unit_that_is_its_own_neighbour(make):
    return using(make, "w.gal", gal({**neighbours(), 13: [12, 13, 14]}))


@corpus.works("no neighbours", holds=whole)
def an_island(make):
    links = neighbours(24)
    return using(make, "w.gal", gal({**links, 25: []}))


@corpus.refused("no neighbours", "--islands nearest")
def an_island_that_is_not_wanted(make):
    command = using(make, "w.gal", gal({**neighbours(24), 25: []}))
    return make.run(command.source, "--weights", "w.gal", "--islands", "error", command=SKATER)


@corpus.refused("--id")
def ids_of_a_column_that_repeats(make):
    return using(make, "w.gal", gal(neighbours()), code=[1] * N)


@corpus.refused("other", "--id")
def a_head_that_names_another_column(make):
    """The ids are those of `other`: with `code` they would be mixed up."""
    make.text("w.gal", gal(neighbours(), head="0 25 in other"))
    numbers = np.arange(1, N + 1)
    source = make.layer(code=numbers[::-1].copy(), other=numbers)
    return make.run(source, "--weights", "w.gal", command=SKATER)


@corpus.refused("did you mean", code=2)
def an_id_column_that_is_not_there(make):
    make.text("w.gal", gal(neighbours()))
    source = make.layer(code=np.arange(1, N + 1))
    return make.run(source, "--weights", "w.gal", "--id", "cod", command=SKATER)


@corpus.refused("w.gal", "there is no such file")
def a_file_that_is_not_there(make):
    return make.run(make.layer(code=np.arange(N)), "--weights", "w.gal", command=SKATER)


@corpus.refused("w.swm", ".gal", code=2)
def a_format_that_is_not_read(make):
    return using(make, "w.swm", "VERSION@10.1;UNIQUEID@code;")


@corpus.refused("w.parquet", "Parquet")
def words_called_parquet(make):
    return using(make, "w.parquet", "hello")


@corpus.refused("focal")
def a_layer_called_weights(make):
    make.layer("w.parquet")
    return make.run(make.layer(code=np.arange(N)), "--weights", "w.parquet", command=SKATER)


@corpus.refused("knn", code=2)
def no_neighbours_at_all(make):
    return make.run(make.layer(code=np.arange(N)), "--weights", "knn:0", command=SKATER)


@corpus.refused("distance", code=2)
def a_distance_in_parsecs(make):
    return make.run(make.layer(code=np.arange(N)), "--weights", "distance:5parsec", command=SKATER)


test_weights = corpus.test()
