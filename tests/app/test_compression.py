"""What is public goes out compressed to those who take it; what may hold a secret never does."""

import gzip

import httpx
import pytest

from tests.app.api import Files, submit

#: Text that is the same for everybody, and of some length.
PUBLIC = ("/", "/style.css", "/openapi.json", "/metrics")


def raw(api: httpx.Client, path: str, encodings: str) -> tuple[httpx.Headers, bytes]:
    """Headers and body as they came over the wire."""
    with api.stream("GET", path, headers={"Accept-Encoding": encodings}) as answer:
        assert answer.status_code == 200
        return answer.headers, b"".join(answer.iter_raw())


@pytest.mark.parametrize("path", PUBLIC[:3])
def test_public_text_is_sent_compressed_and_is_the_same_text(api: httpx.Client, path: str) -> None:
    headers, body = raw(api, path, "gzip")
    plain_headers, plain = raw(api, path, "identity")
    assert (headers["Content-Encoding"], headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert "Content-Encoding" not in plain_headers
    assert plain_headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(body) == plain
    assert len(body) < len(plain) / 2


@pytest.mark.parametrize("path", PUBLIC)
def test_a_head_says_what_a_get_would(api: httpx.Client, path: str) -> None:
    asked = api.head(path, headers={"Accept-Encoding": "gzip"})
    assert asked.headers["Content-Encoding"] == "gzip"


def test_what_is_somebodys_own_is_never_compressed(api: httpx.Client, files: Files) -> None:
    submit(api, files)
    for path in ("/v1/jobs", "/v1/system"):
        headers, body = raw(api, path, "gzip")
        assert "Content-Encoding" not in headers
        assert body.startswith(b"{")
