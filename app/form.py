"""The form of a job: its fields, and how they are read."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Request, Response, UploadFile
from fastapi.routing import APIRoute
from pydantic import AfterValidator, Field
from python_multipart.multipart import parse_options_header

from app import kinds
from app.dependencies import Caller
from app.presets import PRESETS
from app.problems import ProblemError
from model.door import PictureLimits
from model.errors import ParameterError
from model.masks import check_together
from model.params import MAX_STYLES, StyleTransferParams
from worker.fairness import HEAD_START
from worker.pictures import Pictures
from worker.records import Priority
from worker.settings import Settings
from worker.submission import Submission
from worker.webhook_targets import MAX_URL_CHARACTERS
from worker.webhooks import DEFAULT_EVENTS, Webhook, WebhookEvent

#: Room in a request for the form's fields and boundaries, beside its pictures.
FORM_BYTES = 2**20

#: Content and styles, and a mask for each.
_PICTURES = 2 * (1 + MAX_STYLES)

#: Of text that is decoded in no time. Python has codecs that take minutes for a megabyte.
_CHARSETS = {"utf-8", "us-ascii", "iso-8859-1"}

_REPEATABLE = {"style", "style_preset", "style_mask", "style_weights", "webhook_events"}


def _known(name: str) -> str:
    if name not in PRESETS:
        raise ValueError(f"There is no style of this name. There are: {', '.join(PRESETS)}")
    return name


PresetName = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": [*PRESETS]})]


class StyleForm(StyleTransferParams):
    """How to paint, whatever it is: the styles, the parameters, and how soon."""

    style: list[UploadFile] = Field(
        [],
        description="Pictures to take the style from, at least one of these or of `style_preset`.",
        json_schema_extra={"maxItems": MAX_STYLES},
    )
    style_preset: list[PresetName] = Field(
        [],
        description="Names of styles that come with Atelier (`/v1/styles`), after those of "
        "`style` in order.",
        json_schema_extra={"maxItems": MAX_STYLES},
    )
    priority: Priority = Field(
        "normal",
        description="`high` goes before all that is not, at most "
        f"{HEAD_START['high']} times in a row for one client: further ones take turns with the "
        "jobs of others.",
    )

    def presets(self) -> list[bytes]:
        """The files of the styles that were asked for by name."""
        return [PRESETS[name].picture for name in self.style_preset]

    def styles(self) -> list[bytes]:
        """The files of all styles, read."""
        return [*(style.file.read() for style in self.style), *self.presets()]

    def check_styles(self, limits: PictureLimits) -> int:
        """Looks at how many there are and how large, before they are read; gives the number.

        Raises:
            InputError: there are too many, or their weights are of others, or one is too large.
        """
        count = len(self.style) + len(self.style_preset)
        self.params().shares(count)
        _check_sizes(self.style, "style", limits)
        return count

    def params(self) -> StyleTransferParams:
        """The parameters alone."""
        asked = self.model_dump(include=set(StyleTransferParams.model_fields), exclude_unset=True)
        return StyleTransferParams(**asked)


class JobForm(StyleForm):
    """What is handed in: the pictures, how to paint them, and how soon."""

    content: UploadFile = Field(description="The photograph: JPEG, PNG, WebP or TIFF.")
    content_mask: UploadFile | None = Field(
        None,
        description="Regions of the photograph, each painted in a plain colour of its own: a "
        "picture with its proportions.",
    )
    style_mask: list[UploadFile] = Field(
        [],
        description="Regions of each style picture, in their order. A region of the photograph "
        "takes its style from those of the same colour.",
        json_schema_extra={"maxItems": MAX_STYLES},
    )
    webhook_url: str | None = Field(
        None,
        max_length=MAX_URL_CHARACTERS,
        description="An https address that is told of the job, signed by Standard Webhooks.",
    )
    webhook_events: list[WebhookEvent] = Field(
        list(DEFAULT_EVENTS), description="The statuses that it is told of."
    )
    reuse: bool = Field(
        default=True,
        description="Whether an identical job that has succeeded may answer: the same pictures, "
        "parameters, seed and features. It is `reused` then, and nothing is painted. Where there "
        "is a webhook, none does.",
    )

    def submission(
        self, caller: Caller, limits: PictureLimits, idempotency_key: str | None
    ) -> Submission:
        """What is handed in, read, in the name of who asks.

        Raises:
            InputError: there are too many files, or one is too large to be read.
        """
        self._check_files(limits)
        return Submission(
            self.pictures(),
            self.params(),
            self.priority,
            owner=caller.owner,
            client=caller.client,
            webhook=self.webhook(),
            reuse=self.reuse,
            idempotency_key=idempotency_key,
        )

    def webhook(self) -> Webhook | None:
        """Who is to be told of the job, if anybody is."""
        if self.webhook_url is not None:
            return Webhook(url=self.webhook_url, events=tuple(self.webhook_events))
        if "webhook_events" in self.model_fields_set:
            raise ParameterError(
                "webhook_events need a webhook_url. Received: none.", field="webhook_events"
            )
        return None

    def pictures(self) -> Pictures:
        """The files, read."""
        mask = self.content_mask
        return Pictures(
            content=self.content.file.read(),
            styles=self.styles(),
            content_mask=None if mask is None else mask.file.read(),
            style_masks=[style_mask.file.read() for style_mask in self.style_mask],
        )

    def _check_files(self, limits: PictureLimits) -> None:
        styles = self.check_styles(limits)
        masks = [] if self.content_mask is None else [self.content_mask]
        check_together(len(masks), len(self.style_mask), styles)
        _check_sizes([self.content], "content", limits)
        _check_sizes(masks, "content_mask", limits)
        _check_sizes(self.style_mask, "style_mask", limits)


def _check_sizes(files: list[UploadFile], field: str, limits: PictureLimits) -> None:
    for file in files:
        limits.check_bytes(file.size or 0, field=field)


class FormRoute(APIRoute):
    """An endpoint that is handed a form, and looks what it is handed before it is read.

    A dependency would be too late: FastAPI reads the body before it asks any.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As FastAPI's, for forms alone."""
        handle = super().get_route_handler()

        async def handle_form(request: Request) -> Response:
            _check_kind(request.headers.get("content-type", ""))
            return await handle(request)

        return handle_form


def _check_kind(received: str) -> None:
    """Only a form can hold files, whatever the fields of another kind of body are called.

    Its fields are in UTF-8, or a part of Latin-1 (RFC 7578, section 5.1.2, knows no parameter that
    says so, but clients send one).
    """
    kind, options = parse_options_header(received)
    charset = options.get(b"charset", b"utf-8").decode("latin-1")
    if received and kind.lower() != b"multipart/form-data":
        raise ProblemError(
            kinds.UNSUPPORTED_MEDIA_TYPE,
            f"Pictures are handed in as multipart/form-data. Received: {received[:80]}.",
        )
    if charset.lower() not in _CHARSETS:
        raise ProblemError(
            kinds.UNSUPPORTED_MEDIA_TYPE,
            f"A form is handed in as UTF-8. Received: {charset[:80]}.",
        )


async def each_field_once(request: Request) -> None:
    """Of a field that is given twice the last would win, and the other be lost without a word."""
    names = [name for name, _ in (await request.form()).multi_items()]
    for name in names:
        if names.count(name) > 1 and name not in _REPEATABLE:
            raise ParameterError(
                f"{name} may be given once. Received: {names.count(name)} times.", field=name
            )


def max_form_bytes(settings: Settings) -> int:
    """How large a whole request may be."""
    return _PICTURES * settings.max_upload_bytes + FORM_BYTES
