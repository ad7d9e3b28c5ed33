"""Parameters at and just over each of their bounds, drawn from the schema of the parameters.

A parameter that is new is covered by itself.
"""

import math
from collections.abc import Iterator
from typing import Any

from app.form import JobForm
from model.params import StyleTransferParams
from tests.app.hostile.case import REFUSED_FIELD, TAKEN, Case, Part, parts, post, seeded

Schema = dict[str, Any]

#: Nothing that is a number, a word or a list to any field.
NONSENSE = {
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "-Infinity": b"-Infinity",
    "1e400": b"1e400",
    "-1e400": b"-1e400",
    "a hexadecimal number": b"0x40",
    "a number of 5000 digits": b"9" * 5000,
    "None": b"None",
    "null": b"null",
    "an empty list": b"[]",
    "a list": b"[64]",
    "an object": b'{"$gt": 0}',
    "a null byte": b"\0",
    "a number and a null byte": b"64\0",
    "a number and a word": b"64px",
    "a line break": b"64\r\nX-Evil: 1",
    "digits of another script": "٦٤".encode(),
    "a fraction sign": "½".encode(),
    "text from right to left": "\u202e46".encode(),
    "a smiley": "🙂".encode(),
    "a query": b"1' OR '1'='1",
    "a template": b"{{7*7}}${7*7}",
    "a path": b"../../../../etc/passwd",
    "100,000 letters": b"a" * 100_000,
}

#: What a lenient reader may take for a number or a word, and a strict one not.
_DOUBTFUL = {"a fraction": b"64.0", "an exponent": b"1e2", "a plus": b"+64", "blanks": b" 64 "}


def cases() -> list[Case]:
    """Every parameter at each end of its range and beyond it, and in every way not a value."""
    properties = StyleTransferParams.model_json_schema()["properties"]
    found = [case for name, schema in properties.items() for case in _of_field(name, schema)]
    return [*found, *_of_further_fields(set(properties)), *_of_no_field()]


def _of_field(name: str, schema: Schema) -> Iterator[Case]:
    for value, statuses in _values(schema):
        yield _case(name, f"{value:.40}", value.encode(), statuses)
    # To a field of words all nonsense is the same: a few are drawn.
    few = seeded(name).sample(sorted(NONSENSE), 8) if _is_of_words(schema) else NONSENSE
    for what in few:
        yield _case(name, what, NONSENSE[what], REFUSED_FIELD)
    for what, sent in _DOUBTFUL.items():
        yield _case(name, what, sent, TAKEN | REFUSED_FIELD)
    yield _case(name, "nothing", b"", TAKEN)
    twice = [Part(name, b"1"), Part(name, b"1")]
    yield Case(f"{name} twice", post(parts(*twice)), REFUSED_FIELD, field=name)
    file = post(parts(Part(name, b"64", "a")))
    yield Case(f"{name} as a file", file, REFUSED_FIELD, field=name)


def _is_of_words(schema: Schema) -> bool:
    return all(
        "enum" in kind or "const" in kind or kind["type"] == "null" for kind in _kinds(schema)
    )


def _kinds(schema: Schema) -> list[Schema]:
    return list(schema.get("anyOf", [schema]))


def _case(name: str, what: str, value: bytes, statuses: frozenset[int]) -> Case:
    return Case(f"{name}: {what}", post(parts(Part(name, value))), statuses, field=name)


def _values(schema: Schema) -> Iterator[tuple[str, frozenset[int]]]:
    """Values of a schema with the answers that are right."""
    for kind in _kinds(schema):
        words = kind.get("enum", [kind["const"]] if "const" in kind else [])
        for word in map(str, words):
            yield word, TAKEN
            yield word.upper(), REFUSED_FIELD
            yield word + word, REFUSED_FIELD
        if kind.get("type") == "array":
            yield from _lists(kind)
        elif kind.get("type") in ("integer", "number"):
            yield from _numbers(kind)


def _lists(schema: Schema) -> Iterator[tuple[str, frozenset[int]]]:
    """Lists of a wrong length, and of one element that is at its bound or beyond it."""
    most = schema["maxItems"]
    for length in (most, most + 1, 1000):
        yield ",".join(["1"] * length), REFUSED_FIELD  # there is one style
    for value, statuses in _numbers(schema["items"]):
        yield value, statuses if float(value) else REFUSED_FIELD  # one must be above 0


def _numbers(schema: Schema) -> Iterator[tuple[str, frozenset[int]]]:
    for bound, direction in ((schema["minimum"], -1), (schema["maximum"], 1)):
        yield str(bound), TAKEN
        if schema["type"] == "integer":
            yield str(bound + direction), REFUSED_FIELD
        else:
            yield repr(math.nextafter(bound, direction * math.inf)), REFUSED_FIELD
        yield str(bound + direction * 10**9), REFUSED_FIELD
        yield f"{direction * 10**400}", REFUSED_FIELD


def _of_further_fields(known: set[str]) -> Iterator[Case]:
    """The other texts of the form, whatever they are: refused, or taken for what they say."""
    for name, schema in JobForm.model_json_schema()["properties"].items():
        if name in known or "binary" in str(schema) or "contentMediaType" in str(schema):
            continue
        if _is_of_words(schema):
            yield from _of_field(name, schema)
            continue
        for what, sent in NONSENSE.items():
            yield Case(f"{name}: {what}", post(parts(Part(name, sent))), TAKEN | REFUSED_FIELD)


def _of_no_field() -> Iterator[Case]:
    names = ["colour", "Size", "size ", "size[]", "size.x", "__proto__", "__class__", "", "\0"]
    names += ["params", "$where", "model_config", "self", "x" * 5000, "größe", "\u202eezis", "a\tb"]
    for name in names:
        shown = name.encode("unicode_escape").decode()
        what = f"a field {shown!r:.20} that is not there"
        yield Case(what, post(parts(Part(name, b"64"))), frozenset({400, 422}))
