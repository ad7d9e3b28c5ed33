"""Bodies that are not the form they say they are, and forms that are far too much."""

import gzip
import json
from collections.abc import Iterator

from tests.app.hostile.case import (
    CONTENT,
    MARK,
    REFUSED_FIELD,
    REFUSED_FORM,
    STYLE,
    TAKEN,
    Case,
    Part,
    multipart,
    parts,
    post,
    request,
)

_GOOD = multipart(parts())
_KIND = "multipart/form-data; boundary=b"
_EITHER = TAKEN | REFUSED_FORM


def cases() -> list[Case]:
    """All of them."""
    return [*_torn(), *_kinds(), *_parts(), *_names(), *_too_much(), *_encodings()]


def _body(name: str, body: bytes, statuses: frozenset[int], kind: str = _KIND) -> Case:
    return Case(name, request("POST", "/v1/jobs", body, [("Content-Type", kind)]), statuses)


def _torn() -> Iterator[Case]:
    """Forms with a piece missing or too many."""
    # Let in by python-multipart, which does not look how a form ends (its `finalize` says so).
    yield _body("no final boundary", _GOOD[: -len(b"--b--\r\n")], _EITHER)
    for part in (0.02, 0.1, 0.3, 0.6, 0.95):
        yield _body(f"a form cut after {part:.0%}", _GOOD[: int(len(_GOOD) * part)], REFUSED_FORM)
    yield _body("an empty body", b"", REFUSED_FORM)
    yield _body("only the final boundary", b"--b--\r\n", REFUSED_FORM)
    yield _body("only dashes", b"--" * 50_000, REFUSED_FORM)
    yield _body("only line breaks", b"\r\n" * 50_000, REFUSED_FORM)
    yield _body("line feeds alone", _GOOD.replace(b"\r\n", b"\n"), REFUSED_FORM)
    yield _body("no blank line", _GOOD.replace(b"\r\n\r\n", b"\r\n"), REFUSED_FORM)
    yield _body("text before the form", b"hello\r\n" + _GOOD, _EITHER)
    yield _body("text after the form", _GOOD + b"hello", _EITHER)
    yield _body("the form twice", _GOOD + _GOOD, _EITHER)
    yield _body("100,000 empty parts", b"--b\r\n\r\n\r\n" * 100_000 + b"--b--\r\n", REFUSED_FORM)
    nested = b'--b\r\nContent-Disposition: form-data; name="content"\r\nContent-Type: '
    nested += b"multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\n" + CONTENT + b"\r\n--c--\r\n"
    yield _body("a form in a form", nested + b"--b--\r\n", REFUSED_FORM)


def _kinds() -> Iterator[Case]:
    """Content types that are wrong, or wrong for these bytes."""
    right = "multipart/form-data"
    wrong = {
        "no boundary": right,
        "an empty boundary": f"{right}; boundary=",
        "another boundary": f"{right}; boundary=c",
        "a boundary of 1000 letters": f"{right}; boundary={'b' * 1000}",
        "a boundary of blanks": f'{right}; boundary="   "',
        "a boundary of an accent": f"{right}; boundary=\u00e9",
        "an unclosed boundary": f'{right}; boundary="c',
        "no content type": "",
        "a content type of nonsense": ";;;===,,,",
        "another multipart": "multipart/mixed; boundary=b",
        "a content type with a null": f"{right}\u0001; boundary=b",
        "octets": "application/octet-stream",
        "a picture's type": "image/png",
    }
    for name, kind in wrong.items():
        yield _body(name, _GOOD, REFUSED_FORM, kind)
    yield _body("two boundaries", _GOOD, _EITHER, f"{right}; boundary=c; boundary=b")
    for charset in ("utf-16", "utf-7", "x-unknown", "\u00e9", "idna", "rot13", "a" * 5000):
        kind = f"{_KIND}; charset={charset}"
        yield _body(f"charset {charset:.20}", _GOOD, _EITHER, kind)
    # Python decodes it in a time that grows with its square.
    long = multipart([Part("quality", b"a" * 500_000)])
    yield _body("a charset that takes long", long, frozenset({415}), f"{_KIND}; charset=punycode")
    jsons = {"size": 64, "content": "x"}
    deep = "[" * 100_000 + "]" * 100_000
    for name, text in (("json", json.dumps(jsons)), ("deep json", deep), ("no json", "{")):
        yield _body(name, text.encode(), REFUSED_FORM, "application/json")
    entity = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
    yield _body("XML with an entity", entity, REFUSED_FORM, "application/xml")
    for pairs in (b"size=64", b"&" * 50_000, b"%zz=%00", b"a=1&" * 20_000):
        kind = "application/x-www-form-urlencoded"
        yield _body(f"urlencoded {pairs[:7].decode()}", pairs, REFUSED_FORM, kind)


def _parts() -> Iterator[Case]:
    """Parts with broken headers."""
    right = b'Content-Disposition: form-data; name="content"'
    heads = {
        "no header": b"",
        "no disposition": b"X: y",
        "no name": b"Content-Disposition: form-data",
        "an unclosed name": b'Content-Disposition: form-data; name="content',
        "a name of bytes": b'Content-Disposition: form-data; name="\xff\xfe"',
        "a disposition of nonsense": b"Content-Disposition: ;;=;\x01",
        "another disposition": b'Content-Disposition: attachment; name="content"',
        "two names": right + b'; name="style"',
        "two dispositions": right + b"\r\n" + right.replace(b"content", b"style", 1),
        "a header without a name": right + b"\r\n: x",
        "a header without a colon": right + b"\r\nnonsense",
        "a header of 100 kB": right + b"\r\nX: " + b"y" * 100_000,
        "5000 headers": right + b"\r\nX: y" * 5000,
        "a folded header": right + b"\r\n folded",
        "a header with a null": right + b"\r\nX: \0",
        "base64": right + b"\r\nContent-Transfer-Encoding: base64",
        "an unknown charset": right + b"\r\nContent-Type: text/plain; charset=x-y",
        "a length that lies": right + b'; filename="x"\r\nContent-Length: 5',
    }
    for name, head in heads.items():
        body = b"--b\r\n" + head + b"\r\n\r\nx\r\n--b--\r\n"
        yield _body(f"a part with {name}", body, REFUSED_FORM)


def _names() -> Iterator[Case]:
    """Names of files, which nobody looks at; and never tells back."""
    tricks = ["../../" * 5, "C:\\con\\", "/etc/passwd", "\0.png", "a\u202egnp.", "\udcff\udcfe"]
    tricks += ["x" * 3000, "'; rm -rf /; '", "%00%0d%0a", "<script>", "日本", "a;b=c", ".", "~"]
    for trick in tricks:
        shown = trick.encode("unicode_escape").decode()
        files = [Part("content", CONTENT, trick + MARK), Part("style", STYLE, MARK + trick)]
        yield Case(f"a file named {shown:.20}", post([*files, *parts()[2:]]), TAKEN)
        broken = [Part("content", b"no picture", trick + MARK), files[1]]
        yield Case(f"a broken file named {shown:.20}", post(broken), REFUSED_FORM)
    for name in ("10 kB", "a quote and a line"):
        trick = "x" * 10_000 if name == "10 kB" else 'a"\r\nX-Evil: 1\r\n\r\n'
        files = [Part("content", CONTENT, trick), Part("style", STYLE, MARK)]
        yield Case(f"a file named by {name}", post(files), _EITHER)


def _too_much() -> Iterator[Case]:
    """More of everything than a form may have."""
    small = [Part(f"field{n}", b"1") for n in range(10_000)]
    yield Case("10,000 fields", post(small), REFUSED_FORM)
    yield Case("10,000 times one field", post([Part("size", b"64")] * 10_000), REFUSED_FORM)
    yield Case("2,000 files", post([Part("style", b"x", MARK)] * 2000), REFUSED_FORM)
    yield Case("1,000 files", post([Part("style", b"x", MARK)] * 1000), REFUSED_FORM)
    nine = parts(*[Part("style", STYLE, MARK)] * 8)
    yield Case("nine styles", post(nine), REFUSED_FIELD)
    yield Case("two contents", post(parts(Part("content", CONTENT, MARK))), REFUSED_FIELD)
    yield Case("a field of 2 MB", post(parts(Part("quality", b"x" * 2**21))), REFUSED_FORM)
    yield Case("a name of 60 kB", post(parts(Part("x" * 60_000, b"1"))), REFUSED_FORM)


def _encodings() -> Iterator[Case]:
    """Bodies that say they are packed."""
    for coding, body in (
        ("gzip", gzip.compress(_GOOD)),
        ("gzip", gzip.compress(bytes(50_000_000))),
        ("gzip", _GOOD),
        ("br", b"\x8b\x02\x80"),
        ("identity, gzip, " * 50, _GOOD),
        ("nonsense", _GOOD),
    ):
        headers = [("Content-Type", _KIND), ("Content-Encoding", coding)]
        sent = request("POST", "/v1/jobs", body, headers)
        yield Case(f"Content-Encoding: {coding:.20} ({len(body)} bytes)", sent, _EITHER)
