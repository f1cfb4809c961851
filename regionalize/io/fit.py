"""A layer brought into the shape that a format takes, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from regionalize.errors import OutputError
from regionalize.io.columns import fit_columns
from regionalize.io.drivers import Fitted
from regionalize.io.formats import GEOPARQUET, NAMED_LAYERS, Format
from regionalize.io.shapes import fit_shapes

if TYPE_CHECKING:
    import pyarrow as pa

    from regionalize.model.layer import Layer


def fit_layer(layer: Layer, added: Mapping[str, Any], form: Format, layer_name: str | None) -> Fitted:
    """Bring attributes, added columns and geometry into the shape a format takes.

    Raises
    ------
    OutputError
        A column that is there already, or what would lose values.
    """
    before, notes = with_columns(layer, added, form)
    shapes = fit_shapes(layer, form)
    table, more = fit_columns(before, form)
    names = dict(zip(before.column_names, table.column_names, strict=True))
    notes = (*shapes.notes, *notes, *name_notes(form, layer_name), *more)
    return Fitted(table, shapes.wkb, shapes.declared, shapes.options, notes, names)


def with_columns(layer: Layer, added: Mapping[str, Any], form: Format) -> tuple[pa.Table, tuple[str, ...]]:
    """Return the attributes with columns added, without those that only GeoParquet has a use for.

    Raises
    ------
    OutputError
        A column that is there already.
    """
    table = layer.attributes
    named = [*table.column_names, *([layer.origin.geometry_name] if layer.has_geometry else [])]
    existing = {name.lower() if form.one_case else name: name for name in named}
    for name, column in added.items():
        there = existing.get(name.lower() if form.one_case else name)
        if there is not None:
            raise OutputError(
                f"the layer already has a column '{name}'" + (f" ('{there}')" if there != name else ""),
                column=name,
                advice="choose another name with --label-column"
                if name.startswith(next(iter(added)))
                else "give the new column another name",
            )
        table = table.append_column(name, column)
    covering = _covering(layer, form)
    if covering not in table.column_names:
        return table, ()
    note = f"Column '{covering}', the bounding boxes GeoParquet keeps, is left out."
    return table.drop_columns([covering]), (note,)


def name_notes(form: Format, layer_name: str | None) -> tuple[str, ...]:
    """Say of a layer's name that it is not used, where a format has none."""
    if layer_name is None or form in NAMED_LAYERS:
        return ()
    return (f"The layer of a {form.name} is named like its file: '{layer_name}' was not used.",)


def _covering(layer: Layer, form: Format) -> str | None:
    """Name the column of bounding boxes of a GeoParquet file, which no other format has a use for."""
    about = layer.origin.metadata.get("geo", {}).get("columns", {}).get(layer.origin.geometry_name, {})
    bbox = about.get("covering", {}).get("bbox", {}) if form is not GEOPARQUET else {}
    return bbox["xmin"][0] if bbox else None
