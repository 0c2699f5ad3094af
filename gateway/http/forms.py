"""What a browser sends to a page: cookies, and forms that only the gateway's own pages can have sent."""

import hmac
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope

from gateway.errors import BadRequest, Forbidden
from gateway.http.request import header, read_body
from gateway.http.site_url import SiteUrl

MAX_FORM_BYTES = 16384
MAX_FIELDS = 200
FOREIGN_FORM = "ForeignFormError"
_MEDIA_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a submitted form, in order."""

    pairs: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """Returns the first value of a field, or an empty text."""
        return next((value for key, value in self.pairs if key == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        """Returns all values of a field, in order."""
        return tuple(value for key, value in self.pairs if key == name)


def read_cookies(scope: Scope, name: str) -> list[str]:
    """Returns the values of all cookies of a name. Another site of the same domain may have set one too."""
    pairs = (each.strip().partition("=") for each in header(scope, b"cookie").split(";"))
    return [value for key, _, value in pairs if key == name]


def write_cookie(
    name: str, value: str, *, path: str, seconds: int, secure: bool, framed: bool = False, prefix: bool = False
) -> str:
    """Returns a `Set-Cookie` value. `framed` lets pages of other sites that frame ours send the cookie.

    `prefix` adds `__Host-` over TLS: then no other host of the domain can set the cookie.
    """
    policy = "SameSite=Lax"
    if secure:
        policy = "SameSite=None; Secure; Partitioned" if framed else "SameSite=Lax; Secure"
    return f"{cookie_name(name, secure=secure and prefix)}={value}; Path={path}; Max-Age={seconds}; HttpOnly; {policy}"


def cookie_name(name: str, *, secure: bool) -> str:
    """Returns the name of a cookie. On https a prefix binds it to this host."""
    return f"__Host-{name}" if secure else name


async def read_form(scope: Scope, receive: Receive, site_url: SiteUrl, token: str, refusal: str) -> Form:
    """Returns a form that a page of the gateway has sent.

    `token` is the form token, which the page has in its field `form` and which no page of another origin can know.
    Raises `Forbidden` with the text `refusal` for a form of another page, `BadRequest` for what is no form.
    """
    media_type = header(scope, b"content-type").partition(";")[0].strip()
    if media_type != _MEDIA_TYPE:
        raise BadRequest("The form cannot be read.")
    body = (await read_body(scope, receive, MAX_FORM_BYTES)).decode("utf-8", "replace")
    try:
        form = Form(tuple(parse_qsl(body, keep_blank_values=True, max_num_fields=MAX_FIELDS)))
    except ValueError as error:
        raise BadRequest("The form has more fields than any of ours.") from error
    if not is_same_origin(scope, site_url) or not hmac.compare_digest(form.get("form").encode(), token.encode()):
        raise Forbidden(refusal, code=FOREIGN_FORM)
    return form


def is_same_origin(scope: Scope, site_url: SiteUrl) -> bool:
    """Whether nothing that the browser sends says that the form comes from a page of another origin."""
    origin, site = header(scope, b"origin"), header(scope, b"sec-fetch-site")
    # Browsers send `null` for a page with `Referrer-Policy: no-referrer`, as ours have.
    return (origin in {"", "null"} or site_url.is_own(origin, scope)) and site in {"", "same-origin"}
