"""Signing in to the console: a token is shown once, and a session stands for it.

The session's secret is random and in a cookie; the token is in none. A session can do what
its token can, as long as that is in force, and ends after some hours.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from node.access import TokenMissing, find_by_secret
from node.node import Node
from node.storage import sessions
from node.storage.tokens import Token, find_token_by_id
from primitives.errors import Rejected
from primitives.hashing import sha256
from primitives.instants import format_instant, parse_instant

SESSION_SECONDS: Final = 8 * 3600
"""A day at the office."""

_SECRET_BYTES: Final = 32
_MAX_CHARACTERS: Final = 64
_FORM_DOMAIN: Final = b"patunay form\0"


class SessionMissing(Rejected):
    """Nobody has signed in here, or not since the session ended."""

    code = "session-missing"
    hint = "sign in again"


class FormForeign(Rejected):
    """A form that this session's own pages have not made."""

    code = "form-foreign"
    hint = "go back, load the page anew, and send the form again"


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who has signed in."""

    token: Token
    form_key: str
    """What every form of this session carries, and no other page can know."""

    def check_form(self, form_key: str) -> None:
        """Return if a form is one of this session's pages.

        Raises:
            FormForeign: It is not.
        """
        if not hmac.compare_digest(self.form_key.encode(), form_key.encode()):
            raise FormForeign("found a form of another session, or of no page of ours")


async def sign_in(node: Node, token_secret: str) -> str:
    """Return the secret of a new session, which is shown only now.

    Raises:
        TokenMissing: The secret is empty.
        TokenRefused, TokenExpired: The token is not in force.
    """
    if not token_secret.strip():
        raise TokenMissing("found no token")
    token = await find_by_secret(node, token_secret)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    now = node.instant()
    until = format_instant(now + timedelta(seconds=SESSION_SECONDS))
    async with node.writing() as c:
        await sessions.forget_expired(c, format_instant(now))
        await sessions.save_session(c, _digest(secret), token.id, until)
    return secret


async def find_session(node: Node, secret: str) -> Session:
    """Return the session with that secret.

    Raises:
        SessionMissing: There is none, it has ended, or its token is no longer in force.
    """
    now = node.instant()
    async with node.looking_up() as c:
        found = await sessions.find_session(c, _digest(secret))
        token = await find_token_by_id(c, found[0]) if found is not None else None
    if found is None or token is None or now >= parse_instant(found[1]):
        raise SessionMissing("found no session in force")
    if token.expires_at is not None and now >= parse_instant(token.expires_at):
        raise SessionMissing(f"the token was in force until {token.expires_at}")
    form_key = sha256(_FORM_DOMAIN + secret.encode(errors="surrogatepass")).hex()
    return Session(token, form_key)


async def sign_out(node: Node, secret: str) -> None:
    """End a session, at once and for ever."""
    async with node.writing() as c:
        await sessions.forget_session(c, _digest(secret))


def _digest(secret: str) -> str:
    # A header may hold bytes that are no text: they come as half surrogate pairs.
    return sha256(secret[:_MAX_CHARACTERS].encode(errors="surrogatepass")).hex()
