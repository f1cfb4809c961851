"""A real browser for the pages: skipped, saying why, where there is none."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


def pytest_collection_modifyitems(items):
    """Mark every test of this folder, so that `make test` leaves them to `make test-browser`."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Return a headless Chromium."""
    sync = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install .[browser]")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("needs a chromium, such as Debian's: apt-get install chromium")
    with sync.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def show(chromium) -> Iterator[Callable[..., Any]]:
    """Return `page = show(path, color_scheme="dark", …)`: a file opened with the network switched off.

    At the end nothing may have gone wrong in it: no error, no word on the console, no dialog, and no request
    for anything but the file itself.
    """
    opened: list[Any] = []
    faults: list[str] = []

    def open_file(path: Path, **settings: Any) -> Any:
        context = chromium.new_context(**{"viewport": {"width": 1000, "height": 700}, **settings})
        opened.append(context)
        context.set_offline(True)
        page = context.new_page()
        address = path.resolve().as_uri()
        page.on("console", lambda message: faults.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on(
            "request",
            lambda request: None if request.url == address else faults.append(f"request: {request.url}"),
        )
        page.goto(address)
        return page

    open_file.faults = faults  # for a test that provokes some, and takes them away
    yield open_file
    for context in opened:
        context.close()
    assert not faults
