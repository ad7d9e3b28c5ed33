"""What webhooks are signed with: a secret for each owner, derived from one of the server's."""

import base64
import hashlib
import hmac
import json
import secrets
from typing import cast

from redis import Redis

from worker.settings import Settings, SettingsError

_KEY = "atelier:webhook-secret"

#: A shorter one could be guessed by whoever has seen a signature.
_MIN_CHARACTERS = 16


class WebhookSecrets:
    """The secrets of all owners.

    Raises:
        SettingsError: the server's secret in the settings is too short.
    """

    def __init__(self, connection: Redis, settings: Settings) -> None:
        given = settings.webhook_secret
        self._connection = connection
        self._given = None if given is None else given.get_secret_value()
        if self._given is not None and len(self._given) < _MIN_CHARACTERS:
            raise SettingsError(
                f"ATELIER_WEBHOOK_SECRET must have at least {_MIN_CHARACTERS} characters. "
                f"Received: {len(self._given)}."
            )

    def of(self, owner: str | None) -> str:
        """An owner's secret in the form of Standard Webhooks, ``whsec_`` and 32 bytes in Base64.

        Args:
            owner: None for everybody where there are no keys.
        """
        whose = f"atelier webhooks of {json.dumps(owner)}"
        derived = hmac.digest(self._servers().encode(), whose.encode(), hashlib.sha256)
        return f"whsec_{base64.b64encode(derived).decode()}"

    def _servers(self) -> str:
        if self._given is not None:
            return self._given
        kept = self._connection.get(_KEY)
        if kept is None:  # made by whoever asks first, and the same for all from then on
            self._connection.set(_KEY, secrets.token_hex(32), nx=True)
            kept = self._connection.get(_KEY)
        return cast("bytes", kept).decode()
