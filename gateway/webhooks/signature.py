"""How a delivery is signed, by StackOne's rule and by that of Standard Webhooks beside it.

StackOne's header is base64url(HMAC-SHA256(secret, body)) without padding; it has one place and signs no time. The
headers of Standard Webhooks (standardwebhooks.com) sign an id and a time too, and take a signature for each secret.
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
    """Make a secret as Standard Webhooks writes it: the prefix, then the key in base64."""
    return Secret(PREFIX + base64.b64encode(random(SECRET_BYTES)).decode())


@dataclass(frozen=True, slots=True)
class Message:
    """What is signed: the id of the event, when it is sent, and the body byte for byte."""

    id: str
    at: datetime
    body: bytes


def signature_headers(message: Message, secrets: Sequence[Secret], tries: int = 0) -> dict[str, str]:
    """Sign with each live secret, oldest first.

    StackOne's header takes turns with them, as `tries` are counted: a receiver that knows one secret alone, whichever
    it is, is reached by the second try at the latest.
    """
    seconds = int(message.at.timestamp())
    return {
        "x-stackone-signature": stackone_signature(secrets[tries % len(secrets)], message.body),
        "webhook-id": message.id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(standard_signature(each, message, seconds) for each in secrets),
    }


def stackone_signature(secret: Secret, body: bytes) -> str:
    """Sign with the secret as it is shown, prefix and all."""
    digest = hmac.digest(secret.reveal.encode(), body, "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def standard_signature(secret: Secret, message: Message, seconds: int) -> str:
    """Sign with the key that the secret holds in base64."""
    key = _key(secret)
    signed = b"%s.%d.%s" % (message.id.encode(), seconds, message.body)
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def _key(secret: Secret) -> bytes:
    try:
        return base64.b64decode(secret.reveal.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        # The cause would repeat the secret.
        raise ValueError("a webhook secret is not base64") from None
