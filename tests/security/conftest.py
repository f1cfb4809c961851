"""A layer as somebody would hand it over who means harm, and a server that nobody should ask."""

from __future__ import annotations

import http.server
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from regionalize.errors import RegionalizeError
from regionalize.io.read import read_layer
from regionalize.io.row_batches import RowBatches


@dataclass
class Server:
    """A server of this machine, and what it was asked for."""

    address: str
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def _server():
    found = Server("")

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            found.asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"EPSG:3857")

        do_HEAD = do_POST = do_GET

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        found.address = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        server.shutdown()


@pytest.fixture
def server(_server, monkeypatch):
    """A server that a proxy does not stand between."""
    monkeypatch.setenv("no_proxy", "*")
    _server.asked.clear()
    return _server


@pytest.fixture
def refused():
    """Assert that a layer is refused by all that read it; return what is said."""

    def run(path, **options) -> str:
        texts = []
        for read in (lambda: read_layer(path, **options), lambda: list(RowBatches(path, rows=5, **options))):
            with pytest.raises(RegionalizeError) as caught:
                read()
            texts.append(str(caught.value))
        assert all(Path(path).name in text for text in texts)
        assert all(text.isprintable() and len(text) < 3000 for text in texts)
        return texts[0]

    return run


@pytest.fixture
def points():
    """Return GeoJSON of points, with more members if wanted."""

    def make(*, more="", rows=12, value='"x"'):
        features = ",".join(
            f'{{"type":"Feature","properties":{{"a":{i},"b":{i * i % 7},"t":{value}}},'
            f'"geometry":{{"type":"Point","coordinates":[{i % 4},{i // 4}]}}}}'
            for i in range(rows)
        )
        return f'{{"type":"FeatureCollection",{more}"features":[{features}]}}'

    return make
