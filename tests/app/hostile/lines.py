"""Paths, queries, methods and headers that nobody should send."""

from collections.abc import Iterator
from uuid import UUID

from tests.app.hostile.case import CONTENT, MARK, STYLE, Case, Part, post, request

#: No job has it.
ABSENT = UUID(int=0).hex

#: Reading what is there, what is not, and what has not changed. Directories are redirected to.
_READ = frozenset({200, 204, 206, 302, 304, 307, 308, 400, 404, 405, 406, 412, 414, 416, 422})
_NOT_THERE = frozenset({400, 404, 405, 414, 422})
_NO_JOB = frozenset({400, 404, 405, 406, 422})
_BAD_QUERY = frozenset({400, 422})


def cases() -> list[Case]:
    """All of them."""
    return [*_ids(), *_paths(), *_queries(), *_methods(), *_headers()]


def _ids() -> Iterator[Case]:
    """Names of jobs that are none."""
    ids = [ABSENT, ABSENT[:-1], ABSENT + "0", "0", "a" * 31 + "g", ABSENT.replace("0", "A")]
    ids += ["%00", ABSENT + "%00", ABSENT + "%0a", "..", "%2e%2e", "%2e%2e%2fsystem", "*", "?", "#"]
    ids += ["%F0%9F%99%82", "%ff%fe", "%D9%A0" * 32, "a" * 10_000, "-1", "None", "rq:job:1", "%"]
    ids += [
        str(UUID(int=0)),
        f"{{{UUID(int=0)}}}",
        " ",
        "%20" + ABSENT,
        "'%20OR%20'1",
        ABSENT * 100,
    ]
    deeds = (("GET", "/result"), ("POST", "/cancel"), ("DELETE", ""), ("GET", "/preview"))
    for number, name in enumerate(ids):
        for method, after in (("GET", ""), deeds[number % len(deeds)]):
            statuses = _READ if not name.strip("?#. ") else _NO_JOB
            case = f"{method} job {name:.30}{after} (number {number})"
            sent = request(method, f"/v1/jobs/{name}{after}")
            yield Case(case, sent, statuses, garbage=name == " ")


def _paths() -> Iterator[Case]:
    paths = ["//", "///etc/passwd", "/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd"]
    paths += ["/..%2f..%2fetc%2fpasswd", "/%00", "/index.html%00.png", "/%5c..%5c..%5cwindows"]
    paths += ["/" + "a" * 300, "/" + "a" * 20_000, "/" + "a/" * 5000, "/.git/config", "/.env"]
    paths += ["/v1", "/v1/", "/v1//jobs", "/v1/jobs/", "/V1/JOBS", "/v1/jobs;x=1", "/v2/jobs"]
    paths += ["/%ff%fe", "/%F0%9F%99%82", "/%", "/%zz", "/con", "/~root", "/index.html/", "/*"]
    paths += ["/v1/system/../jobs", "/static/../main.py", "/main.py", "/__init__.py"]
    for path in paths:
        yield Case(f"GET {path[:40]} ({len(path)})", request("GET", path), _READ)
        yield Case(
            f"POST {path[:40]} ({len(path)})", request("POST", path, b"x"), _NOT_THERE | {307, 415}
        )


def _queries() -> Iterator[Case]:
    bad = ["0", "-1", "101", "1e9", "NaN", "", "x", "9" * 5000, "1.5", "0x1", "%00", "[]", "%D9%A1"]
    bad += ["%ff", "%F0%9F%99%82", "1;drop"]
    for value in bad:
        target = f"/v1/jobs?limit={value}"
        yield Case(f"limit={value:.20}", request("GET", target), _BAD_QUERY)
    cursors = ["x", "0" * 20, ":", f"{'0' * 20}:{'g' * 32}", f"{'9' * 21}:{ABSENT}", "%00", "../"]
    cursors += ["%D9%A0" * 20 + f":{ABSENT}", f"{'9' * 20}:{ABSENT}%0a", "a" * 10_000, "(a%2B)%2B$"]
    for value in cursors:
        target = f"/v1/jobs?cursor={value}"
        yield Case(f"cursor={value:.40}", request("GET", target), _BAD_QUERY)
    far = f"/v1/jobs?cursor={'9' * 20}:{ABSENT}"
    yield Case("a cursor beyond all jobs", request("GET", far), frozenset({200, 400, 422}))
    for value in ("x", "QUEUED", "queued,running", "%00", "None", "a" * 5000, "queued%20", "-1"):
        target = f"/v1/jobs?status={value}"
        yield Case(f"status={value:.20}", request("GET", target), _BAD_QUERY)
    for query in ("&" * 5000, "a=1&" * 3000, "%", "=", "limit=1&limit=x", "a" * 30_000, "%00=%00"):
        yield Case(f"?{query[:20]}", request("GET", f"/v1/jobs?{query}"), _READ)
    for value in ("x", "-1", "NaN", "1e400", "", "9" * 5000, "99999999999", "1;2", "%00"):
        target = f"/v1/jobs/{ABSENT}?wait={value}"
        yield Case(f"wait={value:.20}", request("GET", target), _NO_JOB)


def _methods() -> Iterator[Case]:
    for method in ("PATCH", "PUT", "TRACE", "OPTIONS", "PROPFIND", "BREW", "A" * 1000, "get"):
        for target in ("/", "/v1/jobs", f"/v1/jobs/{ABSENT}", "/livez", "/nowhere"):
            statuses = frozenset({200, 204, 400, 404, 405, 501})
            yield Case(f"{method[:10]} {target[:12]}", request(method, target, b"x"), statuses)
    yield Case("DELETE of all jobs", request("DELETE", "/v1/jobs"), frozenset({405}))
    yield Case(
        "OPTIONS *", request("OPTIONS", "*"), frozenset({200, 204, 400, 404, 405}), garbage=True
    )
    connect = request("CONNECT", "example.org:443")
    yield Case("CONNECT to elsewhere", connect, frozenset({400, 404, 405, 501}), garbage=True)
    for target in ("/", "/v1/system", "/v1/jobs", f"/v1/jobs/{ABSENT}/result", "/livez"):
        yield Case(f"HEAD {target[:12]}", request("HEAD", target), frozenset({200, 404, 405}))


def _headers() -> Iterator[Case]:
    """Conditions, ranges, preferences and identities that say nothing."""
    odd = ["", "x", "\u00e9", "-1", "*", "9" * 5000, '"', "a=b;c", ","]
    names = ["Range", "If-Range", "If-None-Match", "If-Match", "If-Modified-Since", "Prefer"]
    names += ["Idempotency-Key", "traceparent", "tracestate", "Last-Event-ID", "Authorization"]
    names += ["Accept", "Accept-Encoding", "Cookie", "Origin", "Sec-Fetch-Site", "X-Forwarded-For"]
    names += ["Forwarded", "TE"]
    targets = ("/", "/v1/jobs", f"/v1/jobs/{ABSENT}/result", f"/v1/jobs/{ABSENT}/events")
    for name in names:
        for number, value in enumerate(odd):
            target = targets[number % len(targets)]
            sent = request("GET", target, headers=[(name, value)])
            # A key that is wrong, where there are keys, is refused before anything else.
            yield Case(f"{name}: {value:.20} at {target[-12:]}", sent, _READ | {401, 403})
    wide = f"bytes={','.join(f'{n}-{n}' for n in range(5000))}"
    yield Case("5000 ranges", request("GET", "/", headers=[("Range", wide)]), _READ)
    yield from _submitted_with_headers()


def _submitted_with_headers() -> Iterator[Case]:
    """A form that is refused anyway, under headers that may change how."""
    form = [Part("content", CONTENT, MARK), Part("style", STYLE, MARK), Part("size", b"1")]
    values = {
        "Idempotency-Key": ("", "x" * 10_000, "\u00e9", '"unclosed', "a\tb"),
        "Prefer": ("wait=x", "wait=-1", "wait=NaN", "wait=1e400", "respond-async=;,;", "wait"),
        "traceparent": ("00-0-0-0", "ff-" + "0" * 32 + "-" + "0" * 16 + "-00", "x" * 5000),
        "Origin": ("null", "http://evil.example", "http://127.0.0.1.evil.example", "\u00e9"),
        "Sec-Fetch-Site": ("cross-site", "CROSS-SITE", "x"),
        "Expect": ("200-ok", "x"),
    }
    for name, each in values.items():
        for value in each:
            statuses = frozenset({400, 403, 417, 422})
            yield Case(f"a form with {name}: {value:.20}", post(form, [(name, value)]), statuses)
