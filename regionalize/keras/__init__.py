"""Layers for Keras 3 that rank places by how near they are.

Distances in kilometres (``HaversineGeospatialDistance``), soft zones of distance
(``SpatialFeatureClustering``), a score per item (``GeospatialScoreRanking``), a mask
(``ThresholdBasedMasking``) and the best k (``TopKRecommendationSelector``). They run on every backend of
Keras: JAX, PyTorch, TensorFlow and NumPy. `regionalize` itself never imports this package.

Examples
--------
>>> import numpy as np
>>> from keras.ops import convert_to_numpy
>>> from regionalize.keras import HaversineGeospatialDistance, TopKRecommendationSelector
>>> here = np.array([[40.7128]]), np.array([[-74.0060]])
>>> there = np.array([[34.0522, 41.8781, 39.9526]]), np.array([[-118.2437, -87.6298, -75.1652]])
>>> km = HaversineGeospatialDistance()([*here, *there])
>>> indices, _ = TopKRecommendationSelector(k=2)(-km)
>>> convert_to_numpy(indices).tolist()
[[2, 1]]
"""

from __future__ import annotations

try:
    import keras
except ImportError as fault:
    if fault.name == "keras":
        advice = "regionalize.keras needs Keras 3: pip install 'regionalize[keras]'"
    else:
        advice = (
            f"Keras cannot load its backend ({fault}): install JAX, PyTorch or TensorFlow, and name it "
            "in the environment before Python starts, such as KERAS_BACKEND=jax"
        )
    raise ImportError(advice, name=fault.name) from fault

if int(keras.__version__.partition(".")[0]) < 3:
    raise ImportError(
        f"regionalize.keras needs Keras 3, and this is {keras.__version__}: pip install 'regionalize[keras]'",
        name="keras",
    )

from regionalize.keras.clustering import SpatialFeatureClustering
from regionalize.keras.distance import HaversineGeospatialDistance
from regionalize.keras.masking import ThresholdBasedMasking
from regionalize.keras.ranking import GeospatialScoreRanking
from regionalize.keras.selector import TopKRecommendationSelector

__all__ = [
    "GeospatialScoreRanking",
    "HaversineGeospatialDistance",
    "SpatialFeatureClustering",
    "ThresholdBasedMasking",
    "TopKRecommendationSelector",
]
