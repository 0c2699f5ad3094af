"""What a browser sends to a page of ours: its cookies, and forms that no page but ours can have sent."""

import hmac
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope

from gateway.errors import BadRequest, Forbidden
from gateway.http.request import header, read_body
from gateway.http.site_url import SiteUrl

LARGEST_FORM = 16384
MOST_FIELDS = 200
FOREIGN = "ForeignFormError"
_KIND = "application/x-www-form-urlencoded"


def cookies(scope: Scope, name: str) -> list[str]:
    """Give the values of all cookies of a name: another site of the same domain may have set one, too."""
    pairs = (each.strip().partition("=") for each in header(scope, b"cookie").split(";"))
    return [value for key, _, value in pairs if key == name]


async def read_form(scope: Scope, receive: Receive, place: SiteUrl, word: str) -> list[tuple[str, str]] | None:
    """Read a form that our own page has sent, or give None for one that it has not.

    `word` is what stands in the field `form` of our page; a page of another origin has no way to know it. Raises
    `BadRequest` for what is no form.
    """
    kind = header(scope, b"content-type").partition(";")[0].strip()
    if kind != _KIND:
        raise BadRequest("The form cannot be read.")
    body = (await read_body(scope, receive, LARGEST_FORM)).decode("utf-8", "replace")
    try:
        given = parse_qsl(body, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise BadRequest("The form has more fields than any of ours.") from error
    said = next((value for name, value in given if name == "form"), "")
    own = is_sent_by_us(scope, place) and hmac.compare_digest(said.encode(), word.encode())
    return given if own else None


def is_sent_by_us(scope: Scope, place: SiteUrl) -> bool:
    """Tell whether the browser says nothing against a form having come from a page of ours."""
    origin, site = header(scope, b"origin"), header(scope, b"sec-fetch-site")
    # Browsers say `null` for a page that asks them for no referrer, as ours do.
    return (origin in {"", "null"} or place.is_own(origin, scope)) and site in {"", "same-origin"}


def foreign(message: str) -> Forbidden:
    return Forbidden(message, code=FOREIGN)
