"""How the warm start of rows in batches is found."""

import pytest

import regionalize as rz
from regionalize.run.stream import learn

COLUMNS = ["pct_rural", "pct_bach", "pct_eld", "pct_fb", "pct_pov", "pct_black"]


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({"warm_start": 30}, {}),
        ({"warm_start": 60}, {"search": "starts", "n_init": 3}),
        ({"warm_start": 120}, {"search": "starts", "n_init": 1}),
        ({"warm_start": 120, "search": "swap"}, {"search": "swap"}),
        ({"warm_start": 120, "n_init": 7}, {"search": "starts", "n_init": 7}),
        ({"warm_start": 159}, {}),
    ],
    ids=["few cells", "some", "many", "as given", "number given", "all rows"],
)
def test_a_warm_start_of_many_clusters_is_plain_starts(monkeypatch, given, asked):
    seen, kmeans = [], learn.kmeans
    monkeypatch.setattr(learn, "SEARCHED", 300)
    monkeypatch.setattr(learn, "STARTED", 1800)
    monkeypatch.setattr(learn, "kmeans", lambda X, k, **more: seen.append(more) or kmeans(X, k, **more))
    rz.regionalize_file(None, k=10, columns=COLUMNS, batch_size=32, **given)
    assert {name: seen[0].get(name) for name in ("search", "n_init") if name in seen[0]} == asked
