"""Means and standard deviations over time are those of pandas' groupby."""

from __future__ import annotations

import numpy as np
import pandas as pd

from regionalize.measure.steps import measure_steps


def test_as_groupby_has_them():
    rng = np.random.default_rng(8)
    values = rng.normal(size=(60, 5)) * 10 + 1e6
    values[rng.random((60, 5)) < 0.2] = np.nan
    values[:, 3] = np.nan
    labels = rng.integers(-1, 4, 60)
    labels[labels == 3] = 2
    labels[0] = 3  # alone, so without a standard deviation
    found = measure_steps(values, labels)
    grouped = pd.DataFrame(values[labels >= 0]).groupby(labels[labels >= 0])
    order = [1, 2, 3, 0]  # noise comes last
    assert found.labels.tolist() == order
    assert found.units.tolist() == grouped.size().loc[order].tolist()
    np.testing.assert_array_equal(found.counts, grouped.count().loc[order])
    np.testing.assert_allclose(found.means, grouped.mean().loc[order], rtol=1e-12)
    np.testing.assert_allclose(found.deviations, grouped.std().loc[order], rtol=1e-9)
    np.testing.assert_allclose(measure_steps(values * 1e200, labels).deviations, found.deviations * 1e200)
    np.testing.assert_allclose(found.of_all, pd.DataFrame(values[labels > 0]).mean(), rtol=1e-12)
