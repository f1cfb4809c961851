"""`--centroid-weight auto`: the smallest weight of the coordinates whose clusters are all contiguous."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import InfeasibleError, UsageError
from regionalize.model.findings import Findings
from regionalize.model.progress import part

if TYPE_CHECKING:
    from regionalize.model.features import Features
    from regionalize.run.progress import Progress
    from regionalize.run.task import Task

WEIGHTS = tuple(round(step / 100, 2) for step in range(101))
"""Every hundredth, as fine as GeoDa's slider. All of them, because contiguity need not be monotone in the
weight: a bisection, as GeoDa does, may stop at a weight that is not the smallest."""


def scan_centroid_weights(
    task: Task, progress: Progress | None
) -> tuple[Features, NDArray[np.int64], Findings, dict[str, Any]]:
    """Run the method at every weight and keep the smallest one that leaves every cluster in one piece.

    Each weight is solved by itself with the job's seed, so that running it again with the number found
    gives the same labels.

    Returns
    -------
    features : Features
        Weighted by the weight found.
    codes : (m,) int64
        Its clusters.
    findings : Findings
        What the method told of these.
    extra : dict
        ``centroid_weight`` and ``trade_off``: weight, BSS/TSS over the attributes, subclusters, contiguous.
    """
    from regionalize.features.build import reweight
    from regionalize.kernels.components import components_within
    from regionalize.measure.fit import measure_fit
    from regionalize.run.progress import told, within
    from regionalize.run.task import call_method

    features, weights = task.features, task.weights
    if weights is None:
        raise UsageError("--centroid-weight auto needs weights to tell what is contiguous")
    found: tuple[Features, NDArray[np.int64], Findings, float] | None = None
    refused: InfeasibleError | None = None
    curve = []
    telling = told("centroid weights", progress)
    for done, weight in enumerate(WEIGHTS):
        weighted = reweight(features, weight)
        findings = Findings()
        try:
            search = within(part(telling, done, len(WEIGHTS)))
            codes = call_method(task, weighted, search, findings)
        except InfeasibleError as error:  # at 0 or 1 fewer distinct rows may be left than clusters
            refused = error if refused is None or 0 < weight < 1 else refused
            continue
        placed = np.zeros(len(weights), dtype=np.int64)
        placed[features.rows] = codes + 1
        component = components_within(weights.indptr, weights.indices, placed)
        subclusters = len(np.unique(component[features.rows]))
        contiguous = subclusters == len(np.unique(codes))
        curve.append(
            {
                "weight": weight,
                "bss_tss_attributes": measure_fit(features.scaled, codes + 1).ratio,
                "subclusters": subclusters,
                "contiguous": contiguous,
            }
        )
        if contiguous and found is None:
            found = weighted, codes, findings, weight
    if refused is not None and not curve:
        raise refused
    if found is None:
        fewest = min(curve, key=lambda point: (point["subclusters"], point["weight"]))
        k = "" if task.job.k is None else f"{task.job.k} "
        raise InfeasibleError(
            f"no weight of the centroids makes all {k}clusters contiguous: the fewest pieces are "
            f"{fewest['subclusters']}, at weight {fewest['weight']:.2f}",
            advice=f"use --centroid-weight {fewest['weight']:.2f}, or another k"
            + (
                f" (the layer itself is in {weights.n_components} pieces)" if weights.n_components > 1 else ""
            ),
        )
    features, codes, findings, weight = found
    return features, codes, findings, {**findings.facts, "centroid_weight": weight, "trade_off": curve}
