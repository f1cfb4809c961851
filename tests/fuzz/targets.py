"""What a person can hand us as text or a few bytes, one function for each reader.

Each takes a file's content and an empty folder, and returns or raises a `RegionalizeError` of one line.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np

from regionalize.errors import RegionalizeError

LONGEST = 6000
"""Characters of a message, at most: its parts are shortened, but there are several."""
IDS = np.array(["1", "2", "3", "Los Angeles"], dtype=object)


Reader = Callable[[bytes, Path], object]


def survives(name: str, content: bytes, folder: Path) -> str:
    """Read some content; return how it was refused, empty where it was not."""
    try:
        READERS[name](content, folder)
    except RegionalizeError as error:
        return one_line(error)
    return ""


def one_line(error: RegionalizeError) -> str:
    """Return what a refusal says."""
    said = str(error)
    assert said.strip(), "a refusal says nothing"
    assert len(said.splitlines()) == 1, f"a refusal has {len(said.splitlines())} lines: {said!r}"
    assert len(said) < LONGEST, f"a refusal has {len(said)} characters"
    return said


def put(content: bytes, folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def text(content: bytes) -> str:
    """Return what a shell or a TOML file could hand over: no code 0, no halves of characters."""
    return content.decode("utf-8", "replace").replace("\0", "")


def layer():
    """Return four points with columns of several types."""
    import pyarrow as pa
    import shapely

    from regionalize.model.layer import Layer

    columns = {
        "id": IDS.tolist(),
        "d1": [1.0, 2.0, 3.0, 5.0],
        "d2": [2, 3, 5, 8],
        "d3": [0.5, None, 1.5, 2.5],
        "flag": [True, False, True, False],
        "a-1": [1, 2, 3, 4],
        "lat": [1.0, 2.0, 3.0, 4.0],
        "lon": [5.0, 6.0, 7.0, 8.0],
    }
    points = shapely.points([[5.0, 1.0], [6.0, 2.0], [7.0, 3.0], [8.0, 4.0]])
    wkb = pa.chunked_array([pa.array(shapely.to_wkb(points), pa.binary())])
    return Layer(pa.table(columns), wkb, "EPSG:4326")


def weights_file(suffix: str) -> Reader:
    """Read weights whole, and link by link: what the one refuses, the other may leave for later, no more."""

    def read(content: bytes, folder: Path) -> object:
        from regionalize.io.weights_batches import WeightsBatches
        from regionalize.io.weights_files import read_weights, weights_file_id

        path = put(content, folder, f"w{suffix}")
        refused = None
        try:
            weights_file_id(path)
            for batch in WeightsBatches(path):
                len(batch.focal)
        except RegionalizeError as error:
            refused = error
        found = read_weights(path, IDS)
        assert np.isfinite(found.values).all()
        assert (found.values >= 0).all()
        if refused is not None:
            raise refused
        return found

    return read


def distances(suffix: str) -> Reader:
    def read(content: bytes, folder: Path) -> object:
        from regionalize.io.distances import read_distances

        condensed, units, _ = read_distances(put(content, folder, f"d{suffix}"), len(IDS), IDS)
        assert len(condensed) == 6
        assert np.isfinite(condensed).all()
        assert (condensed >= 0).all()
        assert sorted(units) == [0, 1, 2, 3]
        return condensed

    return read


def centers(content: bytes, folder: Path) -> object:
    """Read centres, and find the nearest of them."""
    from regionalize.io.centers import read_centers
    from regionalize.run.assign import solve_assign
    from regionalize.run.options import make_job

    found = read_centers(put(content, folder, "centers.csv"))
    return solve_assign(layer(), make_job("kmeans", {"missing": "mean"}), found, file="centers.csv")


def config(content: bytes, folder: Path) -> object:
    """Read a configuration, and make of it what every command is called with."""
    import click

    from regionalize.cli.config import read_config
    from regionalize.cli.program import program

    names = ("kmeans", "skater", "rank", "batch", "weights")
    context = click.Context(program)
    context.invoked_subcommand = names[len(content) % len(names)]
    found = read_config(str(put(content, folder, "c.toml")), context)
    command = program.get_command(context, context.invoked_subcommand)
    values = found.values(command, context.invoked_subcommand)
    try:
        with click.Context(command, default_map=values, obj=None) as inner:
            command.parse_args(inner, [])
    except (click.ClickException, click.exceptions.Exit):
        return None
    return values


def plan(content: bytes, folder: Path) -> object:
    """Read a plan, and spell out what is to be run."""
    from regionalize.run.batch.plan import read_plan
    from regionalize.run.batch.variants import spell_out

    return spell_out(read_plan(str(put(content, folder, "p.toml"))), {})


def model(content: bytes, folder: Path) -> object:
    from regionalize.studies.rank.model import model_document, model_of, read_model

    found = read_model(put(content, folder, "m.json"))
    again = model_of(json.loads(json.dumps(model_document(found))))
    assert model_document(again) == model_document(found)
    return found


def columns(content: bytes, _: Path) -> object:
    """Choose columns, and columns that are steps of time, as --columns and --exclude have them."""
    from regionalize.features.columns import read_columns, select_columns
    from regionalize.features.time_columns import select_steps
    from regionalize.run.options import split_list

    given = text(content)
    chosen, _, left = given.partition("\n")
    table = layer()
    names, _ = select_columns(table, split_list(chosen), split_list(left))
    select_steps(table, split_list(chosen))
    return read_columns(table, names, "mean")


def options(content: bytes, _: Path) -> object:
    """Take each line for an option of a method, ``name=value``."""
    from regionalize.run.options import make_job

    lines = [line.partition("=") for line in text(content).split("\n")]
    method, given = lines[0][0], {name: value for name, _, value in lines[1:]}
    return make_job(method, given)


def expressions(content: bytes, _: Path) -> object:
    """Take the text for everything that has a syntax of its own."""
    from regionalize.features.ranges import expand_range
    from regionalize.measure.checks import parse_requirements
    from regionalize.model.length import parse_length
    from regionalize.model.series import parse_embedding
    from regionalize.run.aggregate import parse_aggregates
    from regionalize.run.dask.cluster import check_address
    from regionalize.run.large import read_sample
    from regionalize.run.options import parse_bound, parse_centroid_weight, parse_column_weights, share
    from regionalize.run.recipes import read_recipe
    from regionalize.studies.grid import _span
    from regionalize.studies.rank.degrees import parse_place
    from regionalize.weights.spec import parse_spec

    given = text(content)
    readers: tuple[Callable[[str], object], ...] = (
        expand_range,
        parse_requirements,
        parse_embedding,
        parse_aggregates,
        check_address,
        read_sample,
        parse_column_weights,
        parse_centroid_weight,
        lambda value: parse_bound(value, "min_bound"),
        lambda value: share("tolerance", value),
        lambda value: _span("k", value, 2),
        read_recipe,
        parse_place,
        parse_spec,
    )
    last = None
    for read in readers:
        try:
            read(given)
        except RegionalizeError as error:
            one_line(error)
            last = error
    with suppress(ValueError):  # its callers word it
        parse_length(given)
    if last is not None:
        raise last
    return None


def where(content: bytes, _: Path) -> object:
    """Filter the rows of GeoJSON, and those of a table that GDAL has not read."""
    from regionalize.io.parquet import parquet_filtered
    from regionalize.io.read import read_source
    from regionalize.io.source import Source

    given = text(content)
    table = layer()
    try:
        parquet_filtered(table, given)
    except RegionalizeError as error:
        one_line(error)
    features = [
        {
            "type": "Feature",
            "properties": {"d1": row, "id": name},
            "geometry": {"type": "Point", "coordinates": [row, 1]},
        }
        for row, name in enumerate(IDS.tolist())
    ]
    collection = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    return read_source(Source("standard input", collection, "GeoJSON", None), None, given, None)


def request(content: bytes, _: Path) -> object:
    """Take each line for an option of a ranking, ``name=value``."""
    from regionalize.studies.rank.request import make_request

    given: dict[str, object] = {}
    for line in text(content).split("\n"):
        name, _, value = line.partition("=")
        try:  # as click hands over numbers
            given[name] = (
                json.loads(value) if name in {"top", "scale", "max_km", "attribute_weight"} else value
            )
        except ValueError:
            given[name] = value
    return make_request(given).command().line("units.gpkg")


def places(content: bytes, folder: Path) -> object:
    """Read the places of --at-file, and rank for them."""
    from regionalize.studies.rank.options import RankOptions
    from regionalize.studies.rank.places import read_items, read_users
    from regionalize.studies.rank.rank import rank_items

    users = read_users(at_file=put(content, folder, "at.csv"))
    assert np.isfinite(users.places).all()
    return rank_items(read_items(layer()), users, RankOptions()) if len(users) < 100 else None


def clicks(content: bytes, folder: Path) -> object:
    from regionalize.studies.rank.clicks import read_clicks
    from regionalize.studies.rank.places import Users, read_items

    users = Users(np.array([1, 2, 3]), np.zeros((3, 2)))
    found = read_clicks(put(content, folder, "clicks.csv"), users, read_items(layer(), "id"))
    assert (found.label > 0).all()
    assert np.isfinite(found.label).all()
    return found


def history(content: bytes, _: Path) -> object:
    """Read what a layer keeps of the runs that made it: never refused, at most not understood."""
    from regionalize.io.history import history_text, last_member, understood_history
    from regionalize.model.record import history_of

    last_member(content)
    try:
        given = content.decode("utf-8")
    except UnicodeDecodeError:
        given = text(content)
    found, notes = understood_history(given)
    understood_history(content)
    assert len(notes) < 2
    assert all(len(note.splitlines()) == 1 for note in notes)
    again, _ = understood_history(
        history_text(history_of(found, [name for one in found for name in one.columns]))
    )
    return again


def batch_record(content: bytes, folder: Path) -> object:
    """Read what a batch remembers of one run: what cannot be understood is no record."""
    from regionalize.run.batch.record import Records

    records = Records(folder)
    file = records.file_of("one")
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    return records.read("one")


def geojson(content: bytes, _: Path) -> object:
    """Read GeoJSON from a pipe."""
    from regionalize.io.geojson_head import members_before_features
    from regionalize.io.read import read_source
    from regionalize.io.source import Source

    members_before_features(BytesIO(content))
    return (
        read_source(Source("standard input", content, "GeoJSON", None), None, None, None) if content else None
    )


def parquet_with(key: str, content: bytes, columns: dict[str, object]) -> BytesIO:
    import pyarrow as pa
    import pyarrow.parquet

    table = pa.table(columns).replace_schema_metadata({key: content})
    file = BytesIO()
    pa.parquet.write_table(table, file)
    return file


def geoparquet(key: str) -> Reader:
    """Read GeoParquet with some content as its metadata."""

    def read(content: bytes, folder: Path) -> object:
        from regionalize.io.read import read_layer
        from regionalize.io.write import write_layer

        table = layer()
        columns = {name: table.attributes[name] for name in table.column_names} | {"geometry": table.wkb}
        file = parquet_with(key, content, columns)
        found = read_layer(put(file.getvalue(), folder, "units.parquet"))
        assert len(found) == 4
        for name in ("again.parquet", "again.gpkg"):
            write_layer(found, folder / name, added={}, overwrite=True)
        return found

    return read


def parquet_weights(content: bytes, folder: Path) -> object:
    """Read weights in Parquet with some content as what this program wrote into its head."""
    columns = {"focal": IDS.tolist(), "neighbor": IDS[[1, 0, 3, 2]].tolist(), "weight": [1.0] * 4}
    file = parquet_with("regionalize", content, columns)
    return weights_file(".parquet")(file.getvalue(), folder)


READERS: dict[str, Reader] = {
    "parquet-links": weights_file(".parquet"),
    "gal": weights_file(".gal"),
    "gwt": weights_file(".gwt"),
    "parquet-weights": parquet_weights,
    "distances-csv": distances(".csv"),
    "distances-npy": distances(".npy"),
    "centers": centers,
    "config": config,
    "plan": plan,
    "model": model,
    "columns": columns,
    "options": options,
    "expressions": expressions,
    "where": where,
    "request": request,
    "places": places,
    "clicks": clicks,
    "history": history,
    "batch-record": batch_record,
    "geojson": geojson,
    "geo-metadata": geoparquet("geo"),
    "pandas-metadata": geoparquet("pandas"),
}
"""By the names of their content in `seeds`."""
