"""What is in a serialized ``tf.train.Example`` beside its picture, seen before it is unpacked.

Unpacked, features may take twenty times the room that they have in a file; bytes, such as those of
a picture, take no more. So all else is measured first, in the wire format
(https://protobuf.dev/programming-guides/encoding): a message is a row of fields, each a tag, a
length and so many bytes.
"""

from google.protobuf.message import DecodeError

#: The tags on the way to a picture: ``features``, an entry of ``feature``, its ``value``, its
#: ``bytes_list``, and a ``value`` of that.
_WAY = (0x0A, 0x0A, 0x12, 0x0A, 0x0A)

#: All tags of an example, its features, an entry of them, and a feature. With others a length would
#: be read where protobuf reads something else, and a picture be seen where none is.
_TAGS = frozenset({0x0A, 0x12, 0x1A})

#: Of a number: 64 bits, seven to a byte.
_MAX_NUMBER_BYTES = 10


class CrowdedError(Exception):
    """There is more beside the largest value than there may be."""


def check_beside(example: bytes, most: int) -> None:
    """Makes sure that an example has up to so many bytes beside the largest value of bytes.

    Takes time in proportion to ``most``, however large the example is.

    Raises:
        CrowdedError: it has more.
        DecodeError: it is none, or has other fields than an example has.
    """
    if len(example) <= most:
        return
    message = memoryview(example)
    for tag in _WAY:
        message = _largest(message, tag, most)
    if len(example) - len(message) > most:
        raise CrowdedError


def _largest(message: memoryview, tag: int, most: int) -> memoryview:
    """The largest field with a tag."""
    largest, at = message[:0], 0
    while at < len(message):
        found = message[at]
        if found not in _TAGS:
            raise DecodeError("There is a field that an example does not have.")
        length, begin = _number(message, at + 1)
        at = begin + length
        if found == tag and length > len(largest):
            largest = message[begin:at]
        if at - len(largest) > most:
            raise CrowdedError
    return largest


def _number(data: memoryview, at: int) -> tuple[int, int]:
    """A number, and where it ends."""
    number = 0
    for place, byte in enumerate(data[at : at + _MAX_NUMBER_BYTES]):
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:  # noqa: PLR2004 - the last one has no mark
            return number, at + place + 1
    raise DecodeError("A number is cut off.")
