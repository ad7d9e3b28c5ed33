"""The settings: where they come from, and README's table of them."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from worker.settings import Settings, SettingsError, load_settings

README = Path(__file__).parents[2] / "README.md"

#: | `ATELIER_PORT` | `8000` | what it is |
ROW = re.compile(r"^\|\s*`(ATELIER_[A-Z_]+)`\s*\|([^|]*)\|([^|]*)\|\s*$", re.MULTILINE)


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without settings of ours."""
    for field in Settings.model_fields:
        monkeypatch.delenv(f"ATELIER_{field.upper()}", raising=False)
    return monkeypatch


def section() -> str:
    """The text of README's section on settings."""
    text = README.read_text(encoding="utf-8")
    found = re.search(r"^## Settings\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, "README.md has no section '## Settings'"
    return found.group(1)


def rows() -> list[tuple[str, str, str]]:
    found = [
        (name, default.strip(), text.strip()) for name, default, text in ROW.findall(section())
    ]
    assert found, "README's section on settings has no table"
    return found


def test_readme_lists_every_setting_once_and_no_other() -> None:
    names = sorted(name for name, _, _ in rows())
    assert names == sorted(f"ATELIER_{field.upper()}" for field in Settings.model_fields)


@pytest.mark.parametrize("field", Settings.model_fields)
def test_readme_says_the_default_of(field: str, clean: pytest.MonkeyPatch) -> None:
    del clean
    (default,) = [d for name, d, _ in rows() if name == f"ATELIER_{field.upper()}"]
    told = re.fullmatch(r"`([^`]*)`", default)
    if Settings.model_fields[field].default is None:
        assert told is None, f"{field} has no default, README says {default}"
    else:
        assert told is not None, f"{field}: README's default is not in backticks: {default!r}"
        asked: dict[str, Any] = {field: told.group(1)}
        assert getattr(Settings(**asked), field) == Settings.model_fields[field].default


def test_readme_says_what_every_setting_is() -> None:
    for name, _, text in rows():
        assert len(text) > 10, name


def test_readme_names_no_setting_that_there_is_not() -> None:
    named = set(re.findall(r"\bATELIER_[A-Z_]+[A-Z]\b", README.read_text(encoding="utf-8")))
    assert named <= {f"ATELIER_{field.upper()}" for field in Settings.model_fields}


def test_every_setting_has_a_description() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_settings_come_from_the_environment(clean: pytest.MonkeyPatch) -> None:
    clean.setenv("ATELIER_PORT", "9000")
    clean.setenv("ATELIER_DATA_DIR", "~/paintings")
    assert Settings().port == 9000
    assert Settings().folder == Path.home() / "paintings"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "eight thousand"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", ""),
        ("MAX_QUEUE_LENGTH", "0"),
        ("RESULT_TTL_SECONDS", "1.5"),
        ("JOB_TIMEOUT_SECONDS", "inf"),
        ("MAX_UPLOAD_BYTES", "40MB"),
        ("PRECISION", "float16"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_received(
    clean: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    clean.setenv(f"ATELIER_{variable}", value)
    load_settings.cache_clear()
    try:
        with pytest.raises(SettingsError, match=f"^ATELIER_{variable}: .* Received: {value!r}\\.$"):
            load_settings()
    finally:
        load_settings.cache_clear()


def test_settings_do_not_change(clean: pytest.MonkeyPatch) -> None:
    del clean
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1  # type: ignore[misc]


def test_a_part_that_needs_a_redis_of_ones_own_says_which_variable(
    clean: pytest.MonkeyPatch,
) -> None:
    del clean
    with pytest.raises(SettingsError, match="ATELIER_REDIS_URL"):
        _ = Settings().required_redis_url


def test_the_limits_of_pictures_are_those_of_the_settings(clean: pytest.MonkeyPatch) -> None:
    del clean
    limits = Settings(max_upload_bytes=1000, max_upload_pixels=2000).picture_limits
    assert (limits.max_bytes, limits.max_pixels) == (1000, 2000)


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("redis://cache:6380/2", "redis://:p%40ss%2F%3A@cache:6380/2"),
        ("redis://:old@cache", "redis://:p%40ss%2F%3A@cache"),
        ("redis://painter@cache", "redis://painter:p%40ss%2F%3A@cache"),
        ("unix:///run/redis.sock", "unix://:p%40ss%2F%3A@/run/redis.sock"),
    ],
)
def test_a_password_from_a_file_goes_into_the_address(tmp_path: Path, url: str, whole: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("p@ss/:\n", encoding="utf-8")
    assert Settings(redis_url=url, redis_password_file=secret).required_redis_url == whole


def test_a_password_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    settings = Settings(redis_url="redis://cache", redis_password_file=tmp_path / "nowhere")
    with pytest.raises(SettingsError, match="ATELIER_REDIS_PASSWORD_FILE cannot be read"):
        _ = settings.required_redis_url
