"""What is in a layer, and whether it is fit to cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from regionalize.errors import RegionalizeError, counted, listed, located

if TYPE_CHECKING:
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.run.progress import Progress


def describe_source(source: str | None, job: Job, progress: Progress | None = None) -> dict[str, Any]:
    """Describe a layer: rows, reference system, geometry, columns, neighbours, and what to do about each.

    Returns
    -------
    dict
        ``file``, ``layer``, ``driver``, ``rows``, ``crs``, ``geometry`` (rows per kind), ``faults`` (rows per
        fault), ``columns`` (name, type, missing, why it is not a variable), ``history`` (the runs that made
        columns, the latest last), ``weights`` (or None), ``advice`` (sentences).
    """
    from regionalize.io.gdal_messages import misread_notes
    from regionalize.io.read import read_layer
    from regionalize.io.wkb import geometry_faults
    from regionalize.run.progress import announce

    announce("read", progress)
    layer = read_layer(source, layer=job.layer, where=job.where, encoding=job.encoding)
    with located(layer.origin.file, layer.origin.layer):
        layer.names(job.id)  # refuses a wrong --id
        faults = geometry_faults(layer).counts() if layer.has_geometry else {}
        columns = [describe_column(layer, name) for name in layer.column_names]
        announce("weights", progress)
        weights, trouble = describe_neighbours(layer, job)
        noticed = dict.fromkeys((*layer.notes, *misread_notes(layer.misread)))
        return {
            "file": layer.origin.file,
            "layer": layer.origin.layer,
            "driver": layer.origin.driver,
            "rows": len(layer),
            "crs": crs_name(layer),
            "geometry": layer.geometry_kinds if layer.has_geometry else {},
            "faults": faults,
            "columns": columns,
            "history": [record.to_dict() for record in layer.history],
            "weights": weights,
            "advice": [*noticed, *advice(layer, faults, columns), *trouble],
        }


def describe_column(layer: Layer, name: str) -> dict[str, Any]:
    """Describe one column: type, missing values, and why it would not be taken as a variable."""
    from regionalize.features.columns import not_numeric
    from regionalize.features.identifiers import why_left_out

    column = layer.attributes[name]
    reason = not_numeric(layer, name) or why_left_out(layer, name)
    return {"name": name, "type": str(column.type), "missing": missing(column), "left_out": reason}


def missing(column: Any) -> int:
    """Count nulls and NaN."""
    import pyarrow as pa
    import pyarrow.compute as pc

    nans = pc.sum(pc.is_nan(column)).as_py() or 0 if pa.types.is_floating(column.type) else 0
    return int(column.null_count + nans)


def describe_neighbours(layer: Layer, job: Job) -> tuple[dict[str, Any] | None, list[str]]:
    """Describe the weights a run would use, or say why there are none."""
    from regionalize.run.weights import ready_weights
    from regionalize.weights.describe import describe_weights

    try:
        weights = ready_weights(layer, job)
    except RegionalizeError as error:
        return None, [f"weights: {error}"]
    if weights is None:
        return None, []
    return describe_weights(weights, layer.names(job.id)), list(weights.notes)


def crs_name(layer: Layer) -> str | None:
    """Name the coordinate reference system and say whether it is geographic."""
    if layer.projection is None:
        return None
    kind = "geographic, degrees" if layer.is_geographic else "projected"
    authority = layer.projection.to_authority()
    code = f"{':'.join(authority)}, " if authority else ""
    return f"{layer.projection.name} ({code}{kind})"


def advice(layer: Layer, faults: dict[str, int], columns: list[dict[str, Any]]) -> list[str]:
    """Say what to do about what stands in the way."""
    said = []
    if layer.has_geometry and layer.projection is None:
        said.append(
            "no coordinate reference system: set one (ogr2ogr -a_srs), or use --project none with centroids"
        )
    elif layer.is_geographic:
        said.append(
            "geographic coordinates: centroids and areas are projected automatically "
            "(--project EPSG:n to choose)"
        )
    empty = sum(faults.get(name, 0) for name in ("null", "empty", "unreadable"))
    if empty:
        said.append(
            f"{counted(empty, 'row')} without a usable geometry: clustered by attributes, without neighbours"
        )
    if invalid := faults.get("invalid"):
        said.append(
            f"{counted(invalid, 'row')} with an invalid geometry: repaired for finding neighbours only, "
            "and written as found"
        )
    fit = [column for column in columns if column["left_out"] is None]
    gaps = [f"{column['name']} ({column['missing']})" for column in fit if column["missing"]]
    if gaps:
        said.append(f"missing values in {listed(gaps)}: use --missing drop, mean or median")
    if not fit:
        said.append("no column is fit to cluster: join some numbers to the layer first")
    if len(layer) < 2:
        said.append("one row cannot be grouped")
    return said
