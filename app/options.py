"""The fields of ``StyleTransferParams`` as options of a command."""

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from model.errors import ParameterError
from model.params import StyleTransferParams


def with_params(command: Callable[..., None]) -> Callable[..., None]:
    """Replaces a command's ``**kwargs`` by one option for each field.

    An option that was not given is None, so that defaults stay where they are defined: in the
    fields, and in the presets.
    """
    own = inspect.signature(command).parameters.values()
    options = [_option(name, field) for name, field in StyleTransferParams.model_fields.items()]
    kept = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in own
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    command.__signature__ = inspect.Signature([*kept, *options])  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in (*kept, *options)}
    return command


def params_of(asked: Mapping[str, Any]) -> StyleTransferParams:
    """The parameters that the options give; those that were not given have their defaults.

    Raises:
        ParameterError: one is out of its range.
    """
    given = {name: value for name, value in asked.items() if value not in (None, [], ())}
    try:
        return StyleTransferParams(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = "-".join(str(part) for part in first["loc"][:1]).replace("_", "-")
        option = f"--{name}: " if name else ""
        raise ParameterError(f"{option}{first['msg']}. Received: {first['input']!r}.") from None


def _option(name: str, field: FieldInfo) -> inspect.Parameter:
    flag = f"--{name.replace('_', '-')}"
    default = "" if field.default is None else f" Default: {field.default}."
    option = typer.Option(flag, help=f"{field.description}{default}", show_default=False)
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[_plain(field.annotation) | None, option],
    )


def _plain(annotation: Any) -> Any:
    """The type that a person types: ranges are checked later, by the parameters themselves."""
    alternatives = [a for a in get_args(annotation) if a is not type(None)]
    if get_origin(annotation) is Literal:
        return annotation
    if get_origin(annotation) is tuple:
        return list[float]
    if get_origin(annotation) is Annotated:
        return alternatives[0]
    return _plain(alternatives[0]) if alternatives else annotation
