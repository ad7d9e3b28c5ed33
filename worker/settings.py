"""Every setting, read from the environment here and nowhere else. README's table lists them."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote, urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from model.door import PictureLimits
from model.errors import AtelierError

Positive = Annotated[int, Field(ge=1)]


class SettingsError(AtelierError):
    """A setting in the environment is not what it should be."""


class Settings(BaseSettings):
    """All settings; each is read from ``ATELIER_`` and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="ATELIER_", frozen=True)

    host: str = Field("127.0.0.1", description="Address that the API binds to.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8000, description="Port of the API and the page; 0 takes any free one."
    )
    published_host: str | None = Field(
        None,
        description="Address on which a container's port is published: it then decides in place of "
        "`ATELIER_HOST` who can reach the API.",
    )
    allowed_hosts: str | None = Field(
        None,
        description="Names under which the API is reached, with commas between them; requests for "
        "others get 421. Without it any with API keys or `ATELIER_ALLOW_ANONYMOUS`, else those of "
        "this machine.",
    )
    api_keys: SecretStr | None = Field(
        None,
        description="Who may use the API: entries `OWNER:SHA256` or `OWNER+admin:SHA256`, as "
        "`atelier keys new OWNER` prints them, with commas or spaces between them.",
    )
    api_keys_file: Path | None = Field(
        None, description="A file with such entries, one a line, as container secrets come."
    )
    api_key: SecretStr | None = Field(
        None,
        description="The key that `atelier stylize --server` and `atelier batch --server` send.",
    )
    allow_anonymous: bool = Field(
        default=False,
        description="Whether the API, without keys, may be reached from other machines: everybody "
        "there sees and may cancel every job.",
    )
    session_ttl_seconds: Positive = Field(
        30 * 86_400, description="How long the page remembers a key that it was given."
    )
    open_metrics: bool = Field(
        default=False, description="Whether `/metrics` is for everybody although there are keys."
    )
    redis_url: str | None = Field(
        None, description="A Redis of one's own; without it `atelier up` starts an embedded Valkey."
    )
    redis_password_file: Path | None = Field(
        None, description="A file with Redis's password, as container secrets come."
    )
    data_dir: Path = Field(
        Path("~/.local/share/atelier"),
        description="Where the embedded Valkey keeps its data and downloaded features are cached.",
    )
    blobs_url: str = Field(
        "redis:",
        description="Where pictures are kept: in Redis, or at an URL such as `s3://bucket/prefix` "
        "or `file:///srv/atelier`, which API and workers must both reach; credentials and endpoint "
        "come from the environment, as the provider's own tools name them. One prefix or folder "
        "for each Redis: what looks like Atelier's own, lies there for more than an hour and is "
        "not named in that Redis is deleted.",
    )
    result_link_seconds: Annotated[int, Field(ge=0, le=7 * 86_400)] = Field(
        0,
        description="How long a signed link to a picture in the store holds, to which "
        "`GET .../result` then leads; clients must reach the store. 0: no links, the API hands "
        "pictures out.",
    )
    features: str = Field(
        "auto", description="VGG-19 weights: `auto`, `imagenet`, `bundled`, or a file."
    )
    devices: str = Field(
        "auto", description="What workers paint on: `auto`, `cpu`, or a list such as `gpu:0,gpu:1`."
    )
    together: Positive | None = Field(
        None,
        description="How many small pictures a device paints at once; by itself 8 on a GPU and 1 "
        "on a CPU, which gains nothing.",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="Number format of the convolutions: `auto`, `float32` or `bfloat16`.",
    )
    result_ttl_seconds: Positive = Field(
        86_400, description="How long a finished job, its picture and its previews are kept."
    )
    input_ttl_seconds: Positive = Field(
        2 * 86_400,
        description="How long uploaded pictures are kept for jobs that are not done.",
    )
    job_timeout_seconds: Positive = Field(
        3600, description="Painting time allowed to a job, on one worker."
    )
    max_attempts: Positive = Field(
        3, description="How often a job is begun before it fails, when workers die under it."
    )
    max_queue_seconds: Positive = Field(
        86_400, description="How long a job may wait to be painted before it fails."
    )
    hang_seconds: Positive = Field(
        900,
        description="How long a device may take for a few steps, a picture to be decoded or "
        "stored, or a worker show no sign of life, before its process ends itself to be started "
        "again.",
    )
    stop_grace_seconds: Positive = Field(
        6, description="Time a worker has to put its jobs back when it is asked to stop."
    )
    max_upload_bytes: Positive = Field(40 * 2**20, description="Size of one uploaded picture.")
    max_upload_pixels: Positive = Field(50_000_000, description="Pixels of one uploaded picture.")
    max_queue_length: Positive = Field(1000, description="Jobs waiting; more are refused with 503.")
    max_queued_bytes: Positive = Field(
        2**30, description="Size of all pictures kept for jobs; more are refused with 503."
    )
    max_jobs_per_client: Annotated[int, Field(ge=0)] = Field(
        200, description="Unfinished jobs of one client; more are refused with 429. 0: no limit."
    )
    max_requests_per_minute: Annotated[int, Field(ge=0)] = Field(
        600, description="Requests of one client; more are refused with 429. 0: no limit."
    )
    trusted_proxies: str = Field(
        "127.0.0.1,::1",
        description="Addresses or networks whose word is taken on a client's address "
        "(`X-Forwarded-For`) and on whether a request came by TLS (`X-Forwarded-Proto`), without "
        "which the session's cookie is not marked `Secure`.",
    )
    max_batch_pictures: Positive = Field(10_000, description="Pictures of one batch.")
    max_batch_bytes: Positive = Field(
        2**29,
        description="Size of one batch: of its archive, and of its pictures unpacked.",
    )
    max_megapixel_steps: Positive = Field(
        20_000, description="Cost of one job: megapixels of the result times optimisation steps."
    )
    webhook_allow_private: bool = Field(
        False,  # noqa: FBT003
        description="Whether webhooks may go to private addresses, and without TLS.",
    )
    webhook_secret: SecretStr | None = Field(
        None,
        description="What the secrets of webhooks are derived from; without it one is made and "
        "kept in Redis.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe log messages shown."
    )
    log_format: Literal["text", "json"] = Field(
        "text",
        description="Log lines for people, or one JSON object per line (`json`) for machines.",
    )

    @property
    def folder(self) -> Path:
        """The data folder with ``~`` resolved."""
        return self.data_dir.expanduser()

    @property
    def required_redis_url(self) -> str:
        """The Redis of one's own, with its password.

        Raises:
            SettingsError: there is none, or its password cannot be read.
        """
        if self.redis_url is None:
            raise SettingsError(
                "ATELIER_REDIS_URL must say where Redis is; `atelier up` brings its own."
            )
        if self.redis_password_file is None:
            return self.redis_url
        try:
            password = self.redis_password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"ATELIER_REDIS_PASSWORD_FILE cannot be read ({type(error).__name__})."
            ) from None
        url = urlsplit(self.redis_url)
        user, _, place = url.netloc.rpartition("@")
        user = user.partition(":")[0]
        return url._replace(netloc=f"{user}:{quote(password, safe='')}@{place}").geturl()

    @property
    def picture_limits(self) -> PictureLimits:
        """What is taken at the door."""
        return PictureLimits(max_bytes=self.max_upload_bytes, max_pixels=self.max_upload_pixels)


@lru_cache(maxsize=1)
def load_settings() -> Settings:
    """The settings of this process.

    Raises:
        SettingsError: a variable of the environment does not parse; the message names it.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        variable = f"ATELIER_{str(first['loc'][0]).upper()}"
        raise SettingsError(f"{variable}: {first['msg']}. Received: {first['input']!r}.") from None
