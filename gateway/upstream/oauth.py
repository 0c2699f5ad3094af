"""OAuth 2.0 without I/O: the vendor's authorization URL, and the request that exchanges a code for a token.

Authorization code grant with PKCE (RFC 6749, 7636). The caller keeps `state` and `verifier`, or derives them again.
"""

import hashlib
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote_plus, urlencode

from connectors.exchange import Answer, Consent, Request
from gateway.errors import Unprocessable, VendorFailure
from gateway.model import Secret


@dataclass(frozen=True, slots=True)
class Client:
    """The OAuth client that the operator has registered at the vendor."""

    id: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class Authorization:
    """One authorization. The vendor returns `state` with the person; `verifier` is sent only with the code (PKCE)."""

    redirect_uri: str
    state: str
    verifier: str


def authorization_url(consent: Consent, client: Client, authorization: Authorization, scopes: Sequence[str]) -> str:
    """Returns the URL of the vendor's consent page."""
    challenge = urlsafe_b64encode(hashlib.sha256(authorization.verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": authorization.redirect_uri,
        "scope": consent.separator.join(scopes),
        "state": authorization.state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{consent.authorize_url}?{urlencode(asked)}"


def code_of(returned: Mapping[str, str], vendor: str) -> str:
    """Returns the code from the query of the redirect. Raises `Unprocessable` where the person did not agree."""
    if returned.get("error") == "access_denied":
        raise Unprocessable(f"You have not agreed in {vendor}, so nothing was connected.")
    if "error" in returned or not returned.get("code"):
        raise Unprocessable(f"{vendor} did not give access. Try again, or ask its administrator.")
    return returned["code"]


def token_request(consent: Consent, client: Client, authorization: Authorization, code: str) -> Request:
    """Returns the request that exchanges an authorization code for a token (RFC 6749, section 4.1.3)."""
    # The client's name and secret are form-encoded before they become Basic (RFC 6749, section 2.3.1).
    both = f"{quote_plus(client.id)}:{quote_plus(client.secret.reveal)}"
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": authorization.redirect_uri,
        "code_verifier": authorization.verifier,
    }
    headers = {
        "accept": "application/json",
        "authorization": f"Basic {b64encode(both.encode()).decode()}",
        "content-type": "application/x-www-form-urlencoded",
    }
    return Request("POST", consent.token_path, headers=headers, body=urlencode(form).encode())


def token_of(answer: Answer, vendor: str, now: datetime) -> Secret:
    """Returns the token and its end. A vendor's text is never repeated: it may contain the code or a secret."""
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        body = None
    found = body if isinstance(body, dict) else {}
    token = found.get("access_token")
    bearer = str(found.get("token_type", "")).lower() == "bearer"
    if answer.status == 200 and isinstance(token, str) and token and bearer:
        return Secret(token, _end(found.get("expires_in"), now))
    if 400 <= answer.status < 500 and answer.status != 429:
        raise Unprocessable(f"{vendor} did not take the answer of its own page, perhaps as it was too old. Try again.")
    raise VendorFailure(f"{vendor} answered without a token: try again later")


def _end(seconds: object, now: datetime) -> datetime | None:
    """Reads `expires_in` (RFC 6749, section 5.1), which some send as text. A senseless value counts as none."""
    text = str(seconds)
    known = not isinstance(seconds, bool) and text.isascii() and text.isdigit() and len(text) <= 9
    return now + timedelta(seconds=int(text)) if known else None
