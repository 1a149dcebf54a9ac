"""An error response is closed. Python 3.14 warns about one that is not."""

import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.unit.tree.test_imports import own_files
from tools.core.http import direct_opener, opener
from tools.local import toolchain


@pytest.fixture
def refusing() -> Iterator[str]:
    """The address of a server that answers 404 with a body to every request."""

    class Refuse(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Refuse) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("make", [opener, direct_opener])
def test_an_error_response_is_closed(
    refusing: str, monkeypatch: pytest.MonkeyPatch, make: Callable[[], urllib.request.OpenerDirector]
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(urllib.error.HTTPError) as caught:
        make().open(refusing)
    assert caught.value.code == 404
    assert caught.value.fp is not None
    assert caught.value.fp.closed


def test_a_server_that_answers_with_an_error_does_not_count_as_reachable(refusing: str) -> None:
    assert not toolchain.answers_at(refusing)


def test_every_url_is_opened_by_these_openers() -> None:
    opening = re.compile(r"\b(urlopen|build_opener|HTTPError)\(")
    found = {path.name for package, path in own_files() if opening.search(path.read_text())}
    assert found == {"http.py"}
