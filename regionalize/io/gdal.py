"""GDAL, kept quiet: nothing is printed or warned; what matters is turned into notes or errors elsewhere."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def setting(name: str, value: str) -> Iterator[None]:
    """Set a configuration option of GDAL for a while."""
    import pyogrio

    before = pyogrio.get_gdal_config_option(name)
    pyogrio.set_gdal_config_options({name: value})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({name: before})


@contextmanager
def quiet() -> Iterator[list[str]]:
    """Collect warnings instead of showing them; the list is filled when the block ends."""
    said: list[str] = []
    # what GDAL warns of is for the caller to judge and to word, each time anew
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield said
        finally:
            said += [" ".join(str(one.message).split()) for one in caught]
