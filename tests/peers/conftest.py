"""Layers to compare on, and peers in processes of their own, which some of them may end."""

from __future__ import annotations

import faulthandler
import multiprocessing
import warnings
from typing import NamedTuple

import geopandas
import numpy as np
import pytest

TRIES = 3
"""REDCAP of pygeoda 0.1.3 sometimes frees memory twice."""
PATIENCE = 300
"""Seconds for a call."""
REAL = {
    "guerry": ("guerry/Guerry.shp", "Crm_prs Crm_prp Litercy Donatns Infants Suicids", "Pop1831"),
    "natregimes": ("natregimes/natregimes.shp", "HR90 RD90 PS90 UE90 DV90 MA90 FH90 GI89", "PO90"),
}


class Compared(NamedTuple):
    """A layer: its frame, z-scored variables (n, p), an amount of each unit (n,), and queen neighbours."""

    name: str
    frame: geopandas.GeoDataFrame
    X: np.ndarray
    amount: np.ndarray
    weights: object


def compared(name, shared_data):
    from country import COLUMNS, country

    from regionalize.features.transforms import transform
    from regionalize.io.sample import sample_path
    from regionalize.model.layer import Layer
    from regionalize.weights import build_weights

    if name == "random":
        frame, columns, amount = country(300, 3), COLUMNS, None
    elif name == "sample":
        frame, amount = geopandas.read_file(sample_path()), "tot_pop"
        columns = [column for column in frame if column.startswith("pct_")]
    else:
        path, text, amount = REAL[name]
        frame, columns = geopandas.read_file(shared_data(path)), text.split()
    X = transform(frame[columns].to_numpy(float), "z")
    held = np.ones(len(X)) if amount is None else frame[amount].to_numpy(float)
    return Compared(name, frame, X, held, build_weights(Layer.from_frame(frame), "queen"))


@pytest.fixture(scope="session", params=["random", "sample", *REAL])
def layer(request, shared_data):
    """Real layers and random ones."""
    return compared(request.param, shared_data)


@pytest.fixture(scope="session", params=["random", "sample", "guerry"])
def small_layer(request, shared_data):
    """Those on which slow peers end."""
    return compared(request.param, shared_data)


def _send(sender, work):
    faulthandler.disable()  # that it crashed is all there is to tell
    warnings.simplefilter("ignore")  # what a peer's dependencies deprecate is not ours
    try:
        sender.send(work())
    except Exception as error:  # whatever it is, the test is to tell it
        sender.send(error)


def apart(work):
    """Do the work in a child process, which may crash; it is tried again then."""
    for _ in range(TRIES):
        receiver, sender = multiprocessing.get_context("fork").Pipe(duplex=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forks among threads, from Python 3.12 on
            child = multiprocessing.get_context("fork").Process(target=_send, args=(sender, work))
            child.start()
        sender.close()
        try:
            if receiver.poll(PATIENCE):
                found = receiver.recv()
                if isinstance(found, Exception):
                    raise found
                return found
        except EOFError:
            continue
        finally:
            child.kill()
            child.join()
    raise AssertionError(f"a peer crashed {TRIES} times, or took too long")


@pytest.fixture(scope="session")
def geoda(tmp_path_factory):
    """Call pygeoda: `geoda(frame, lambda library, layer: …)`."""
    pytest.importorskip("pygeoda", reason="pygeoda comes with the bench extra: make test-peers")
    folder = tmp_path_factory.mktemp("geoda")

    def call(compared, work):
        path = folder / f"{compared.name}.shp"
        if not path.exists():
            geometry = compared.frame[["geometry"]].assign(row=np.arange(len(compared.frame)))
            geometry.to_file(path)

        def there():
            import pygeoda

            return work(pygeoda, pygeoda.open(str(path)))

        return apart(there)

    return call


@pytest.fixture(scope="session")
def spopt():
    """Call a class of spopt.region with weights and z-scored variables; labels from 0."""
    pytest.importorskip("spopt", reason="spopt comes with the bench extra: make test-peers")

    def call(layer, name, amount=None, **options):
        def there():
            import pandas as pd
            import spopt.region

            table = pd.DataFrame(layer.X, columns=[f"x{column}" for column in range(layer.X.shape[1])])
            arguments = [table, layer.weights.to_graph().to_W(), list(table.columns)]
            if amount is not None:
                table["amount"] = amount
                arguments.append("amount")
            model = getattr(spopt.region, name)(*arguments, **options)
            model.solve()
            return np.unique(model.labels_, return_inverse=True)[1]

        return apart(there)

    return call
