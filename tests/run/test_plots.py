"""Plots of a solution show what it holds: projections, real centres, means over time, silhouettes."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely

import regionalize as rz
from regionalize.errors import RegionalizeError
from regionalize.io.sample import sample_path
from regionalize.run.planes import centers_on, chosen_plane, component_name, plane_of
from regionalize.run.plots import steps_of

COLUMNS = ["pct_rural", "pct_pov", "pct_bach", "tot_pop"]


@pytest.fixture(scope="module")
def counties():
    return geopandas.read_file(sample_path())


@pytest.fixture(scope="module")
def matrix(counties):
    """The variables as they are clustered, by pandas."""
    values = counties[COLUMNS]
    return ((values - values.mean()) / values.std()).to_numpy()


def components(X):
    """Projections and directions of the centred rows, by their singular values."""
    away = X - X.mean(axis=0)
    _, _, directions = np.linalg.svd(away, full_matrices=False)
    found = [one * np.sign(one[np.abs(one).argmax()]) for one in directions[:2]]
    return away @ np.array(found).T, np.array(found)


def test_means_are_projected_on_the_components_of_what_was_clustered(counties, matrix):
    found = rz.regionalize(counties, k=5, columns=COLUMNS, column_weights={"pct_pov": 4})
    weighted = matrix * np.sqrt([1, 4, 1, 1])
    places, _ = components(weighted)
    plane = plane_of(found.solution.features)
    np.testing.assert_allclose(plane.places, places, atol=1e-9)
    centers = centers_on(plane, found.solution)
    assert sorted(centers) == [1, 2, 3, 4, 5]
    for label, center in centers.items():
        np.testing.assert_allclose(center, places[found.labels == label].mean(axis=0), atol=1e-9)


def test_medians_are_the_projections_of_medians(counties, matrix):
    found = rz.regionalize(counties, "kmedians", k=4, columns=COLUMNS)
    places, directions = components(matrix)
    plane = plane_of(found.solution.features)
    for label, center in centers_on(plane, found.solution).items():
        median = np.median(matrix[found.labels == label], axis=0)
        np.testing.assert_allclose(center, (median - matrix.mean(axis=0)) @ directions.T, atol=1e-9)
    assert np.abs(places[found.labels == 1].mean(axis=0) - center).max() > 0.01


def test_medoids_are_units(counties):
    found = rz.regionalize(
        counties, "kmedoids", k=4, columns=COLUMNS, id="COUNTY" if "COUNTY" in counties else None
    )
    plane = plane_of(found.solution.features)
    for label, center in centers_on(plane, found.solution).items():
        members = plane.places[found.labels == label]
        assert np.abs(members - center).max(axis=1).min() < 1e-9


def test_smoothed_and_placed_variables_are_what_is_projected(counties):
    found = rz.regionalize(counties, k=4, columns=COLUMNS, hops=1, with_centroids=True)
    X = found.solution.features.X
    assert X.shape[1] == 6
    places, _ = components(X)
    plane = plane_of(found.solution.features)
    np.testing.assert_allclose(plane.places, places, atol=1e-8)
    for label, center in centers_on(plane, found.solution).items():
        np.testing.assert_allclose(center, places[found.labels == label].mean(axis=0), atol=1e-8)


def test_two_variables_are_the_axes_in_their_own_units(counties):
    found = rz.regionalize(counties, k=3, columns=["pct_pov", "tot_pop"])
    plane = plane_of(found.solution.features)
    assert plane.axes == ("pct_pov", "tot_pop")
    assert plane.components is None
    np.testing.assert_array_equal(plane.places, counties[["pct_pov", "tot_pop"]])
    means = counties.groupby(found.labels)[["pct_pov", "tot_pop"]].mean()
    for label, center in centers_on(plane, found.solution).items():
        np.testing.assert_allclose(center, means.loc[label], rtol=1e-12)


@pytest.mark.parametrize(("method", "middle"), [("kmeans", "mean"), ("kmedians", "median")])
def test_other_columns_can_be_the_axes(counties, method, middle):
    frame = counties.assign(gap=counties["pct_eld"].where(counties.index % 7 != 0))
    found = rz.regionalize(frame, method, k=3, columns=COLUMNS)
    plane, centers = chosen_plane(found.solution, ("gap", "pct_pov"))
    np.testing.assert_array_equal(plane.places, frame[["gap", "pct_pov"]])
    expected = frame.groupby(found.labels)[["gap", "pct_pov"]].agg(middle)
    for label, center in centers.items():
        np.testing.assert_allclose(center, expected.loc[label], rtol=1e-12)


def test_the_medoids_own_values_are_marked(counties):
    found = rz.regionalize(counties, "kmedoids", k=3, columns=COLUMNS)
    _, centers = chosen_plane(found.solution, ("pct_eld", "pct_pov"))
    pairs = {tuple(row) for row in counties[["pct_eld", "pct_pov"]].to_numpy().tolist()}
    assert {tuple(center.tolist()) for center in centers.values()} <= pairs


def test_assigned_units_are_shown_with_the_centres_they_were_given_to(counties):
    north = rz.regionalize(counties[:80], k=4, columns=COLUMNS)
    south = rz.assign(counties[80:], north)
    plane = plane_of(south.solution.features)
    assert plane.components is not None
    values = counties[:80][COLUMNS]
    expected = (values.groupby(north.labels).mean() - values.mean()) / values.std()  # scaled as the north is
    centers = centers_on(plane, south.solution)
    for label, center in centers.items():
        np.testing.assert_allclose(center, plane.components.project(expected.loc[[label]])[0], atol=1e-9)
    two = rz.assign(counties[80:], rz.regionalize(counties[:80], k=4, columns=COLUMNS[:2]))
    given = two.solution.findings.centers
    for label, center in centers_on(plane_of(two.solution.features), two.solution).items():
        np.testing.assert_allclose(center, given.values[label - 1])


def test_places_of_a_density_method_are_the_axes(counties):
    found = rz.regionalize(counties, "dbscan", eps="30km", min_samples=3)
    plane = plane_of(found.solution.features)
    assert plane.axes == ("X", "Y")
    assert set(centers_on(plane, found.solution)) == set(range(1, found.report.k + 1))


def test_component_names_have_those_that_load_most():
    assert component_name(2, 0.2049, np.array([0.5, -0.5, 0.5, 0.5]), list("abcd")).startswith(
        "component 2, 20 % of the variance: +0.50 a, −0.50 b, +0.50 c"
    )
    assert component_name(1, 1.0, np.array([0.9, 0.3, -0.3]), list("abc")).endswith(": +0.90 a")


def test_profiles_are_those_of_groupby(counties, tmp_path):
    rng = np.random.default_rng(2)
    days = [f"d{number}" for number in range(1, 41)]
    frame = counties.assign(**{day: rng.normal(size=len(counties)) for day in days})
    frame.loc[3, "d4"] = None
    found = rz.regionalize(frame, k=4, columns=COLUMNS)
    path = found.profile("d1-d40", tmp_path / "p.csv")
    table = pd.read_csv(path)
    assert table.columns.tolist() == ["cluster", "n", "column", "mean", "sd"]
    assert table["column"].tolist() == days * 4
    grouped = frame.groupby(found.labels)[days]
    for name, expected in (("n", grouped.count()), ("mean", grouped.mean()), ("sd", grouped.std())):
        shown = table.pivot_table(index="cluster", columns="column", values=name, sort=False)[days]
        np.testing.assert_allclose(shown, expected, rtol=1e-9)
    notes = steps_of(found.solution, ["d1-d40"])[2]
    assert notes == ("1 of 6,360 values in the time columns are missing, of 1 unit: left out of the means",)


def test_silhouettes_are_scikit_learns(counties, matrix, tmp_path):
    from sklearn.metrics import silhouette_samples

    found = rz.regionalize(counties, k=4, columns=COLUMNS)
    table = pd.read_csv(found.silhouettes(tmp_path / "s.csv"))
    np.testing.assert_allclose(table["silhouette"], silhouette_samples(matrix, found.labels), atol=1e-9)
    assert table["cluster"].tolist() == found.labels.tolist()


def test_python_draws_into_files_and_notebooks(counties, tmp_path):
    found = rz.regionalize(counties, k=3, columns=COLUMNS)
    draws = (found.scatter, found.parallel, found.silhouettes, lambda *path: found.profile(COLUMNS, *path))
    for number, draw in enumerate(draws):
        assert draw()._repr_png_().startswith(b"\x89PNG")
        path = tmp_path / f"{number}.svg"
        assert draw(path) == path
        assert path.read_bytes().startswith(b"<?xml")
        with pytest.raises(RegionalizeError, match="cannot be written as"):
            draw(tmp_path / "a.gif")
    assert found.scatter(axes=["pct_eld", "pct_pov"]).startswith(b"\x89PNG")
    frame = counties.assign(side=np.where(found.labels == 1, "west", "east"))
    checked = rz.validate(frame, "side", columns=COLUMNS)
    for draw in (checked.scatter, checked.parallel, checked.plot_silhouettes):
        assert draw().startswith(b"\x89PNG")
    assert "west" in pd.read_csv(checked.profile(COLUMNS, tmp_path / "p.csv"))["cluster"].tolist()


def test_what_has_no_variables_is_refused(tmp_path):
    frame = geopandas.GeoDataFrame(
        {"label": ["a", "a", "b"]}, geometry=shapely.points([[0, 0], [1, 0], [5, 5]])
    )
    with pytest.raises(RegionalizeError):
        rz.validate(frame, "label").scatter()
