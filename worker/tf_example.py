"""``tf.train.Example`` without TensorFlow: the message as protobuf is told of it.

Its fields and their numbers are those of tensorflow/core/example/feature.proto and example.proto.
In a pool of its own, so that nothing is declared twice where TensorFlow is loaded as well.
"""

from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_REPEATED = FieldDescriptorProto.LABEL_REPEATED

#: The kinds of values that a feature may have one of.
_VALUES = {
    "BytesList": FieldDescriptorProto.TYPE_BYTES,
    "FloatList": FieldDescriptorProto.TYPE_FLOAT,
    "Int64List": FieldDescriptorProto.TYPE_INT64,
}


def _message(name: str, *fields: FieldDescriptorProto, **further: Any) -> DescriptorProto:
    for number, field in enumerate(fields, start=1):
        field.number = number
    return DescriptorProto(name=name, field=fields, **further)


def _field(name: str, kind: Any, **further: Any) -> FieldDescriptorProto:
    """A field of a message's kind, which is named, or of one of protobuf's own."""
    if not isinstance(kind, str):
        return FieldDescriptorProto(name=name, type=kind, **further)
    message = FieldDescriptorProto.TYPE_MESSAGE
    return FieldDescriptorProto(name=name, type=message, type_name=f".tensorflow.{kind}", **further)


def _declared() -> FileDescriptorProto:
    entry = _message(
        "FeatureEntry",
        _field("key", FieldDescriptorProto.TYPE_STRING),
        _field("value", "Feature"),
        options={"map_entry": True},
    )
    lists = [_message(name, _field("value", of, label=_REPEATED)) for name, of in _VALUES.items()]
    names = {"bytes_list": "BytesList", "float_list": "FloatList", "int64_list": "Int64List"}
    feature = _message(
        "Feature",
        *(_field(name, kind, oneof_index=0) for name, kind in names.items()),
        oneof_decl=[{"name": "kind"}],
    )
    features = _message(
        "Features",
        _field("feature", "Features.FeatureEntry", label=_REPEATED),
        nested_type=[entry],
    )
    example = _message("Example", _field("features", "Features"))
    return FileDescriptorProto(
        name="example.proto",
        package="tensorflow",
        syntax="proto3",
        message_type=[*lists, feature, features, example],
    )


def _pool() -> DescriptorPool:
    pool = DescriptorPool()
    pool.Add(_declared())
    return pool


#: The class of the message.
Example: Any = GetMessageClass(_pool().FindMessageTypeByName("tensorflow.Example"))
