"""Labels → what a report says: fit, fragmentation, shape, checks."""

from regionalize.measure.checks import PartitionCheck, check_partition, find_faults, parse_requirements
from regionalize.measure.fit import cluster_means, measure_fit, r_squared
from regionalize.measure.fragmentation import measure_fragmentation
from regionalize.measure.regions import measure_regions
from regionalize.measure.sentence import contiguity_sentence

__all__ = [
    "PartitionCheck",
    "check_partition",
    "cluster_means",
    "contiguity_sentence",
    "find_faults",
    "measure_fit",
    "measure_fragmentation",
    "measure_regions",
    "parse_requirements",
    "r_squared",
]
