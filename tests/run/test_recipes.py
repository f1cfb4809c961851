"""Runs written as one word."""

from __future__ import annotations

import pytest

from regionalize.errors import UsageError
from regionalize.run.options import make_job
from regionalize.run.recipes import is_recipe, read_recipe


@pytest.mark.parametrize(
    ("text", "method", "options"),
    [
        ("kmeans:k=8", "kmeans", {"k": 8}),
        ("kmeans:k=8,with-centroids", "kmeans", {"k": 8, "with_centroids": True}),
        ("kmeans:k=8,columns=a,b,c*,hops=2", "kmeans", {"k": 8, "columns": "a,b,c*", "hops": 2}),
        ("kmeans:column-weights=a=2,b=.5,k=3", "kmeans", {"k": 3, "column_weights": "a=2,b=.5"}),
        ("schc:k=4,8,12,linkage=single", "schc", {"k": [4, 8, 12], "linkage": "single"}),
        ("skater:k=4,min-bound=pop=10%", "skater", {"k": 4, "min_bound": "pop=10%"}),
        ("azp:k=4,cooling=.9,search=annealing", "azp", {"k": 4, "cooling": 0.9, "search": "annealing"}),
        ("balance:k=4,balance=pop,tolerance=2%", "balance", {"k": 4, "balance": "pop", "tolerance": "2%"}),
        ("kmeans:k=5,centroid-weight=auto", "kmeans", {"k": 5, "centroid_weight": "auto"}),
    ],
)
def test_a_recipe_is_the_same_job_as_its_options(text, method, options):
    assert is_recipe(text)
    assert read_recipe(text) == make_job(method, options)


def test_its_own_options_win_over_common_ones():
    job = read_recipe("kmeans:k=3", {"k": 9, "columns": "a,b", "seed": 4})
    assert (job.k, job.columns, job.seed) == (3, ("a", "b"), 4)


def test_common_options_go_where_they_are_taken():
    common = {"k": 5, "within": "state", "compactness": 0.2, "make_contiguous": True, "min_size": 2}
    assert read_recipe("skater", common).within == "state"
    assert read_recipe("maxp", common).k is None
    plain = read_recipe("kmeans", {"k": 5, "within": "state", "compactness": 0.2, "linkage": "single"})
    assert plain == make_job("kmeans", {"k": 5})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kmean:k=8", "did you mean 'kmeans'"),
        ("kmeans:hop=2", "did you mean 'hops'"),
        ("kmeans:hops", "write hops=VALUE"),
        ("kmeans:k=8,b", "'b' is no option of kmeans"),
        ("kmeans:k=x", "--k is x; it must be a whole number"),
        ("kmeans:within=a,k=3", "--within is for methods that make contiguous regions"),
        ("kmeans:k=3,with-centroids=perhaps", "--with-centroids"),
        ("kmeans:k=3,,", "is no option"),
    ],
)
def test_what_cannot_be_meant_is_refused(text, says):
    with pytest.raises(UsageError) as caught:
        read_recipe(text)
    assert says in str(caught.value)
