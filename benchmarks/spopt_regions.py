"""spopt's regions from the same variables and weights as ours."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np


def spopt_labels(
    name: str, X: np.ndarray, weights: Any, amount: np.ndarray | None = None, **options: Any
) -> np.ndarray:
    """Return the labels (n,) that `spopt.region` gives by its class `name`, such as ``"Skater"``.

    `amount` is what max-p's regions hold at least a `threshold` of.
    """
    import pandas as pd
    import spopt.region

    table = pd.DataFrame(X, columns=[f"x{column}" for column in range(X.shape[1])])
    named = list(table.columns)
    arguments = [table, weights.to_graph().to_W(), named]
    if amount is not None:
        table["amount"] = amount
        arguments += ["amount"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # libpysal says that there are islands; spopt, what pandas deprecates
        model = getattr(spopt.region, name)(*arguments, **options)
        model.solve()
    return np.unique(model.labels_, return_inverse=True)[1]
