"""Good content of every reader, and what means something in it."""

from __future__ import annotations

import json
from io import BytesIO

import numpy as np


def words(text: str) -> tuple[bytes, ...]:
    """Split at blanks."""
    return tuple(text.encode().split(b" "))


def npy(array: object) -> bytes:
    file = BytesIO()
    np.save(file, np.asarray(array))
    return file.getvalue()


def links() -> bytes:
    """Return weights in Parquet."""
    import pyarrow as pa
    import pyarrow.parquet

    file = BytesIO()
    names = ["1", "2", "3", "Los Angeles"]
    table = pa.table({"focal": names, "neighbor": [*names[::-1]], "weight": [0.5, 1.0, 1.0, 0.5]})
    pa.parquet.write_table(table, file)
    return file.getvalue()


def as_json(document: object) -> bytes:
    return json.dumps(document).encode()


def within_csv(document: object) -> bytes:
    """Return the file of centres with a document as its settings."""
    text = json.dumps(document).replace('"', '""')
    return f'cluster,d1,settings\n1,0.5,"{text}"\n2,3,\n'.encode()


GEO = {
    "version": "1.1.0",
    "primary_column": "geometry",
    "columns": {
        "geometry": {
            "encoding": "WKB",
            "geometry_types": ["Point"],
            "crs": None,
            "bbox": [5.0, 1.0, 8.0, 4.0],
            "covering": {"bbox": {side: ["d1", side] for side in ("xmin", "ymin", "xmax", "ymax")}},
        }
    },
}
PANDAS = {"index_columns": ["__index_level_0__"], "columns": []}
WEIGHTS = {"id": "id", "n": 4, "kind": "queen"}
RUN = {"made_by": "kmeans", "columns": ["cluster"], "k": 4, "seed": 1, "settings": {"k": 4}}
HISTORY = {"format": 1, "runs": [RUN, {**RUN, "versions": {"numpy": "2"}, "measures": {"bss_tss_all": 0.5}}]}
RECORD = {
    "format": "regionalize batch record 1",
    "name": "one",
    "fingerprint": "a",
    "done": True,
    "files": {},
    "layer": None,
    "labels": [],
    "seconds": 1.0,
    "measures": {},
    "notes": [],
}
RECIPE = {
    "method": "kmeans",
    "transform": "z",
    "crs": "EPSG:3857",
    "hops": 0,
    "alpha": 0.5,
    "smooth_mode": "mean",
    "weights": "knn:2",
    "variables": [{"name": "d1", "offset": 1.0, "scale": 2.0, "weight": 1.0}],
    "coordinates": [],
    "distance": "euclidean",
}
ZONES = {
    "kind": "bands",
    "names": ["1", "2"],
    "centers": [5.0, 20.0],
    "edges": [12.5],
    "parents": None,
    "weights": [0.0, 0.5],
}
MODEL = {
    "format": "regionalize ranking",
    "version": 1,
    "distances": "km",
    "attribute": None,
    "less_is_better": False,
    "label_column": None,
    "options": {
        "membership": "gaussian",
        "score": "exp",
        "scale": None,
        "normalize": "none",
        "max_km": None,
        "min_score": None,
        "keep_zones": [],
        "top": None,
        "max_per_region": None,
        "attribute_weight": 0.0,
        "region_weights": {},
        "units": "km",
    },
    "zones": [ZONES],
    "learned": None,
}
SQUARE = [[[0, 0], [1, 0], [1, 1], [0, 0]]]
COLLECTION = {
    "type": "FeatureCollection",
    "name": "x",
    "crs": None,
    "regionalize": HISTORY,
    "features": [
        {
            "type": "Feature",
            "id": 1,
            "properties": {"a": 1, "b": "x", "c": None, "d": [1], "e": {"f": 2}, "t": "2020-01-01T00:00:00Z"},
            "geometry": {"type": "Polygon", "coordinates": SQUARE},
        },
        {"type": "Feature", "properties": {"a": 2.5}, "geometry": None},
    ],
}
DOCUMENTS = {
    "centers": RECIPE,
    "model": MODEL,
    "history": HISTORY,
    "batch-record": RECORD,
    "geojson": COLLECTION,
    "geo-metadata": GEO,
    "pandas-metadata": PANDAS,
    "parquet-weights": WEIGHTS,
}
"""What readers of JSON read."""

_NUMBERS = (*words("0 1 2 -1 1e999 1e-400 nan inf 0.5 1_0 ٣ ²"), b"9" * 5000)
_LINES = (*_NUMBERS, *words('\n \r , " ; \t é \ufeff'), b" ", b"\0", b"\xff")
_JSON = (*_NUMBERS, *words('{ } [ ] : , " null true NaN "\\ud800"'), b"[" * 5000)
_TOML = (*_NUMBERS, *words('[ ] [[run]] = \n " { } true . 1979-05-27'), b"[" * 500)

SEEDS: dict[str, tuple[bytes, ...]] = {
    "gal": (
        b'0 4 units id\n1 2\n2 3\n2 1\n1\n3 1\n1\n"Los Angeles" 0\n',
        b'4\n1 0\n2 0\n3 0\n"Los Angeles" 0',
    ),
    "gwt": (b'0 4 units id\n1 2 0.5\n2 1 0.5\n3 "Los Angeles" 1\nLos_Angeles 3 1e3\n',),
    "parquet-links": (links(),),
    "parquet-weights": (as_json(WEIGHTS),),
    "distances-csv": (
        b"id,1,2,3,Los Angeles\n1,0,1,2,3\n2,1,0,4,5\n3,2,4,0,6\nLos Angeles,3,5,6,0\n",
        b"1,2,3,4,5,6",
        b"1\n2\n3\n4\n5\n6\n",
    ),
    "distances-npy": (npy(np.ones(6)), npy(1.0 - np.eye(4)), npy(["a"])),
    "centers": (b"cluster,size,d1,d2\n1,2,0.5,1\n2,2,3,4\n", within_csv(RECIPE)),
    "config": (
        b'k = 3\ncolumns = ["d1", "d2"]\n[kmeans]\nwith-centroids = true\nmin-bound = {pop = "10%"}\n',
        b'[rank]\nat = ["1,2"]\nbands = [3, 10]\n[batch]\njobs = 2\nmethod = "kmeans"\n',
    ),
    "plan": (
        b'inputs = ["*.gpkg"]\nmethod = "kmeans"\nk = 3\n[[run]]\nname = "a"\n[run.grid]\nk = [2, 3]\n',
        b'[[input]]\npath = "a.gpkg"\nwhere = "x > 1"\n[[run]]\nmethod = ["skater:k=2", "schc:k=3"]\n',
    ),
    "model": (as_json(MODEL),),
    "columns": (b"d1-d3,flag", b"d*,a-1\nflag", b'"d1",d[12]', b"d01-d03"),
    "options": (
        b"kmeans\ncolumns=d1-d2\ncolumn_weights=d1=2\nembed=pca:2\ntransform=z",
        b"skater\nmin_bound=pop=10%\nweights=knn:6\ncentroid_weight=0.5",
        b"dbscan\neps=1km\nmin_samples=4",
    ),
    "expressions": words(
        "d1-d40 contiguous,min-size=10 pca:8 season:365.25 pop:sum,gini:mean tcp://host:8786 1% "
        "pop=2,gini=.5 pop=10% 2-15 schc:linkage=average,columns=a,b,k=6 40.5,-74 kernel:gaussian:10 "
        "distance:50km w.gal"
    ),
    "where": (
        b"d1 > 1",
        b"id = 'Los Angeles' AND d1 IN (1, 2)",
        b"\"d1\" BETWEEN 0 AND 2 OR id LIKE 'x%'",
    ),
    "request": (
        b"at=33.75,-84.39\nbands=3,10\nregion_weight=1=2",
        b"at_file=x.csv\nat_id=id\ntop=5\nscale=2.5\nkeep_zone=1",
    ),
    "places": (b"id,lat,lon\na,1,2\nb,3,4\n", b"latitude,longitude\n91,0\n", b"wkt\nPOINT (1 2)\n"),
    "clicks": (b"user,item,label\n1,1,2\n2,Los Angeles,0\n", b"user,item\n1,2\n1,2\n3,3\n"),
    "history": (as_json(HISTORY), as_json(COLLECTION)),
    "batch-record": (as_json(RECORD),),
    "geojson": (as_json(COLLECTION),),
    "geo-metadata": (as_json(GEO),),
    "pandas-metadata": (as_json(PANDAS),),
}
WORDS: dict[str, tuple[bytes, ...]] = {
    "gal": (*_LINES, b"Los Angeles", b"units id"),
    "gwt": (*_LINES, b"Los_Angeles", b"units id"),
    "parquet-links": (b"PAR1", b"weight", b"\xff", b"\x15\x04"),
    "parquet-weights": (*_JSON, b'"n"'),
    "distances-csv": _LINES,
    "distances-npy": (b"'descr': '<f8'", b"(4, 4)", b"True", b"(", b"\n"),
    "centers": (*_LINES, b'""centers"": [1, 2]', *words('settings size ""scale"" ""crs"" null')),
    "config": (*_TOML, *words("k columns [kmeans] [skater] weights bands embed aggregate seed min-bound")),
    "plan": (*_TOML, *words("inputs [[input]] path method grid kmeans out-dir jobs columns by where")),
    "model": (*_JSON, *words('"zones" "labels" "centers" "learned" "options"')),
    "columns": (
        *_LINES,
        *words("d1 - d1-d3 * ? [ [! ] d1-d999999999999999999 flag"),
        b"d" + b"1" * 5000,
    ),
    "options": (
        *_LINES,
        *words("= % km auto columns= min_bound= eps= sample= scheduler= k= hops= embed= weights="),
    ),
    "expressions": (*_LINES, *words("= : - % km kmeans knn: min-size= tcp://h: distance: :sum")),
    "where": (
        *_NUMBERS,
        *words("' \" ( ) AND OR d1 id = < LIKE IS NULL ; -- % SELECT"),
        *(b" ", b"CAST(d1 AS ", b"(" * 2000, b"NOT " * 500),
    ),
    "request": (*_LINES, *words("at= bands= keep_zone= region_weight= fit= model= score=weights = holdout=")),
    "places": (*_LINES, b"POINT (1 2)", b"POLYGON EMPTY", *words("lat lon wkt x y")),
    "clicks": (*_LINES, b"Los Angeles", *words("user item label clicked rating")),
    "history": (*_JSON, *words('"runs" "regionalize" "columns" "made_by"')),
    "batch-record": (*_JSON, *words('"files" "labels" "measures" "format"')),
    "geojson": (*_JSON, *words('"features" "coordinates" "type" "Point" 1e400')),
    "geo-metadata": (*_JSON, *words('"columns" "crs" "covering" "bbox" "point" "encoding" "geometry_types"')),
    "pandas-metadata": (*_JSON, b'"index_columns"'),
}
