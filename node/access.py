"""Access tokens for the HTTP API: random, shown once, kept as a digest."""

import secrets
import uuid
from typing import Final

from node.node import Node
from node.storage.registry import Token, find_token, save_token
from primitives.errors import Malformed
from primitives.hashing import sha256

_PREFIX: Final = "ptn_"
_SECRET_BYTES: Final = 32
_MAX_CHARACTERS: Final = 128


class TokenMissing(Malformed):
    """The request carries no bearer token."""

    code = "token-missing"
    hint = "send `Authorization: Bearer …`; `patunay token create` makes a token"


class TokenRefused(Malformed):
    """The token is unknown or was revoked."""

    code = "token-refused"


async def create_token(node: Node, name: str) -> tuple[Token, str]:
    """Create a token; return it with its secret, which is shown only now."""
    secret = _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    token = Token(str(uuid.uuid4()), name, node.now(), None)
    async with node.writing() as c:
        await save_token(c, token, _digest(secret))
    return token, secret


async def require_token(node: Node, authorization: str | None) -> Token:
    """Return the token that an `Authorization` header carries.

    Raises:
        TokenMissing: There is none.
        TokenRefused: It is not in force.
    """
    scheme, _, secret = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise TokenMissing("found no bearer token")
    # Looked up by digest, so the time taken tells nothing about the secret.
    async with node.reading() as c:
        token = await find_token(c, _digest(secret[:_MAX_CHARACTERS].strip()))
    if token is None:
        raise TokenRefused("the token is not in force")
    return token


def _digest(secret: str) -> str:
    # A header may hold bytes that are no text: they come as half surrogate pairs.
    return sha256(secret.encode(errors="surrogatepass")).hex()
