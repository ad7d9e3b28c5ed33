"""What a case is: bytes for the wire, under a name, with the answers that are right."""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from tests.pictures import photograph, style_picture

#: In every file name that is sent: no answer may tell it back.
MARK = "whisper-me-not"

CONTENT = photograph(96, 72)
STYLE = style_picture(80, 80)

#: Painting that is over soon, where the case gets so far.
SHORT = (("size", b"64"), ("quality", b"draft"), ("steps", b"1"))

TAKEN = frozenset({202})
REFUSED_PICTURE = frozenset({415, 422})
REFUSED_FIELD = frozenset({422})
REFUSED_FORM = frozenset({400, 413, 415, 422})


@dataclass(frozen=True)
class Case:
    """A request.

    Attributes:
        name: what is bad about it.
        sent: all that goes over the wire, after which the client says that nothing follows.
        statuses: each a right answer.
        garbage: whether it breaks HTTP itself: then the server, which knows nothing of problem
            documents, may answer by itself, or hang up.
        field: what a refusal must name; None where nothing in particular is at fault.
    """

    name: str
    sent: bytes
    statuses: frozenset[int]
    garbage: bool = False
    field: str | None = None


@dataclass(frozen=True)
class Part:
    """A part of a form: a file where it has a file name."""

    name: str
    body: bytes
    filename: str | None = None

    def encoded(self) -> bytes:
        """The part between two boundaries, its names as they are: nothing is escaped."""
        file = "" if self.filename is None else f'; filename="{self.filename}"'
        head = f'Content-Disposition: form-data; name="{self.name}"{file}\r\n\r\n'
        return head.encode("utf-8", "surrogateescape") + self.body


def seeded(name: str) -> random.Random:
    """The same random numbers for the same name, always."""
    return random.Random(name)


def request(
    method: str,
    target: str | bytes,
    body: bytes | None = None,
    headers: Iterable[tuple[str, str]] = (),
) -> bytes:
    """A request of HTTP/1.1 as it goes over the wire; nothing in it is escaped or checked."""
    path = target.encode("utf-8", "surrogateescape") if isinstance(target, str) else target
    given = [("Host", "127.0.0.1"), ("Connection", "close"), *headers]
    if body is not None and not {name for name, _ in given} & {"Content-Length"}:
        given.append(("Content-Length", str(len(body))))
    lines = "".join(f"{name}: {value}\r\n" for name, value in given)
    head = lines.encode("utf-8", "surrogateescape")
    return method.encode() + b" " + path + b" HTTP/1.1\r\n" + head + b"\r\n" + (body or b"")


def parts(
    *further: Part, content: bytes = CONTENT, style: bytes = STYLE, short: bool = True
) -> list[Part]:
    """The parts of a good form, and further ones."""
    files = [Part("content", content, MARK), Part("style", style, MARK)]
    fields = [Part(name, body) for name, body in SHORT] if short else []
    given = {part.name for part in further}
    return [*files, *(field for field in fields if field.name not in given), *further]


def multipart(form: Iterable[Part], boundary: str = "b") -> bytes:
    """The body of a form."""
    between = f"--{boundary}\r\n".encode()
    return b"".join(between + part.encoded() + b"\r\n" for part in form) + (
        f"--{boundary}--\r\n".encode()
    )


def post(form: Iterable[Part], headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """A request that hands in a job."""
    kind = ("Content-Type", "multipart/form-data; boundary=b")
    return request("POST", "/v1/jobs", multipart(form), [kind, *headers])
