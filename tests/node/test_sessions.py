import pytest

from node.access import TokenMissing, TokenRefused, create_token, revoke_token
from node.node import Node
from node.permissions import Role
from node.sessions import (
    SESSION_SECONDS,
    FormForeign,
    SessionMissing,
    find_session,
    sign_in,
    sign_out,
)
from tests.support.nodes import HandClock, query


async def entered(node: Node, days: int | None = None) -> tuple[str, str]:
    """Return a token's id and the secret of a session of it."""
    token, secret = await create_token(node, "clerk", [Role.SIGNER], days=days)
    return token.id, await sign_in(node, secret)


async def test_a_session_does_what_its_token_may(node: Node) -> None:
    token, secret = await entered(node)
    session = await find_session(node, secret)
    assert session.token.id == token
    assert session.token.roles == {Role.SIGNER}


@pytest.mark.parametrize("secret", ["", "unknown", "\udcff", "x" * 10_000])
async def test_a_secret_that_is_none_opens_nothing(node: Node, secret: str) -> None:
    await entered(node)
    with pytest.raises(SessionMissing):
        await find_session(node, secret)


async def test_only_a_token_in_force_signs_in(node: Node) -> None:
    with pytest.raises(TokenMissing):
        await sign_in(node, "  ")
    with pytest.raises(TokenRefused):
        await sign_in(node, "ptn_unknown")


async def test_neither_the_secret_nor_the_token_is_stored(node: Node) -> None:
    _, token = await create_token(node, "clerk", [Role.SIGNER])
    secret = await sign_in(node, token)
    rows = query(node.home, "SELECT * FROM sessions")
    assert len(rows) == 1
    assert secret not in str(rows)
    assert token not in str(rows)
    assert secret not in token


async def test_ends_when_its_time_is_over(node: Node, clock: HandClock) -> None:
    _, secret = await entered(node)
    clock.advance(SESSION_SECONDS - 1)
    await find_session(node, secret)
    clock.advance(1)
    with pytest.raises(SessionMissing):
        await find_session(node, secret)
    await entered(node)
    assert len(query(node.home, "SELECT * FROM sessions")) == 1


async def test_ends_when_its_token_is_revoked_or_expires(
    node: Node, clock: HandClock
) -> None:
    token, secret = await entered(node)
    await revoke_token(node, token)
    with pytest.raises(SessionMissing):
        await find_session(node, secret)
    clock.advance(80_000)
    _, secret = await create_token(node, "clerk", [Role.SIGNER], days=1)
    clock.advance(86_390)
    session = await sign_in(node, secret)
    clock.advance(10)
    with pytest.raises(SessionMissing, match="token was in force until"):
        await find_session(node, session)


async def test_signing_out_ends_this_session_and_no_other(node: Node) -> None:
    _, first = await entered(node)
    _, second = await entered(node)
    await sign_out(node, first)
    with pytest.raises(SessionMissing):
        await find_session(node, first)
    await find_session(node, second)


async def test_a_form_of_another_session_is_refused(node: Node) -> None:
    first = await find_session(node, (await entered(node))[1])
    second = await find_session(node, (await entered(node))[1])
    first.check_form(first.form_key)
    for key in (second.form_key, "", "ñ"):
        with pytest.raises(FormForeign):
            first.check_form(key)
