"""Signs deliveries twice: by StackOne's rule, and by Standard Webhooks (standardwebhooks.com).

StackOne's header is base64url(HMAC-SHA256(secret, body)) without padding. It holds one signature and signs no time, so
an old delivery could be replayed. The headers of Standard Webhooks sign an id and the time too, and hold a signature
for each secret.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.model import Secret

PREFIX = "whsec_"
SECRET_BYTES = 32
LONGEST_OVERLAP = 7 * 24 * 3600
"""The longest time that two secrets are valid side by side, in seconds."""


def new_secret(random: Callable[[int], bytes]) -> Secret:
    """Returns a secret in the form of Standard Webhooks: the prefix, then the key in base64."""
    return Secret(PREFIX + base64.b64encode(random(SECRET_BYTES)).decode())


@dataclass(frozen=True, slots=True)
class Message:
    """What is signed: the id of the event, when it is sent, and the body byte for byte."""

    id: str
    at: datetime
    body: bytes


def signature_headers(message: Message, secrets: Sequence[Secret], tries: int = 0) -> dict[str, str]:
    """Returns the headers that sign a message; `secrets` are those that are valid, oldest first.

    StackOne's header alternates between the secrets with each of the `tries`: during a rotation, a receiver that knows
    only one of them can check the second try at the latest.
    """
    seconds = int(message.at.timestamp())
    return {
        "x-stackone-signature": stackone_signature(secrets[tries % len(secrets)], message.body),
        "webhook-id": message.id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(standard_signature(each, message, seconds) for each in secrets),
    }


def stackone_signature(secret: Secret, body: bytes) -> str:
    """Signs with the secret as it is shown, including the prefix."""
    digest = hmac.digest(secret.reveal.encode(), body, "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def standard_signature(secret: Secret, message: Message, seconds: int) -> str:
    """Signs with the key that the secret holds in base64."""
    key = _key(secret)
    signed = b"%s.%d.%s" % (message.id.encode(), seconds, message.body)
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def _key(secret: Secret) -> bytes:
    try:
        return base64.b64decode(secret.reveal.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        # The cause would repeat the secret.
        raise ValueError("a webhook secret is not base64") from None
