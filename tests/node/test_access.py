import pytest

from node.access import (
    TokenExpired,
    TokenMissing,
    TokenNameMalformed,
    TokenRefused,
    authenticate,
    create_token,
    require,
    revoke_token,
)
from node.acting import current_actor
from node.home import Home
from node.node import Node
from node.permissions import Action, IssuerRefused, Role, RoleRefused
from node.storage.database import create_engine, locate, migrate
from node.storage.registry import IssuerUnknown
from node.storage.tokens import Token, TokenUnknown, list_tokens
from tests.support.nodes import HandClock, meddle, opened, query

DAY = 86_400


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def listed(node: Node) -> Token:
    async with node.reading() as c:
        (found,) = await list_tokens(c)
    return found


async def test_a_token_lets_its_bearer_in_until_it_is_revoked(node: Node) -> None:
    token, secret = await create_token(node, "registrar", [Role.SIGNER])
    assert (await authenticate(node, bearer(secret))) == token
    named = await authenticate(node, {"Authorization": f"bearer  {secret} "})
    assert named.name == "registrar"
    await revoke_token(node, token.id)
    with pytest.raises(TokenRefused) as caught:
        await authenticate(node, bearer(secret))
    assert caught.value.code == "token-refused"
    found = await listed(node)
    assert (found.name, found.revoked_at) == ("registrar", node.now())


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "ptn_abc"])
async def test_without_a_token_the_answer_says_so(node: Node, header: str | None) -> None:
    with pytest.raises(TokenMissing) as caught:
        await authenticate(node, {} if header is None else {"Authorization": header})
    assert caught.value.code == "token-missing"


@pytest.mark.parametrize(
    "change",
    [
        lambda secret: secret[:-1],
        lambda secret: secret + "x",
        lambda secret: secret.swapcase(),
        lambda _secret: "x" * 100_000,
        lambda _secret: "%' OR 1=1 --",
        # What aiohttp makes of a byte that is no text.
        lambda _secret: b"\xff\xfe".decode(errors="surrogateescape"),
        lambda _secret: "\ud800",
    ],
)
async def test_another_text_is_refused(node: Node, change: object) -> None:
    _, secret = await create_token(node, "registrar", [Role.SIGNER])
    assert callable(change)
    with pytest.raises(TokenRefused):
        await authenticate(node, bearer(change(secret)))


async def test_no_secret_is_stored(node: Node, home: Home) -> None:
    _, secret = await create_token(node, "registrar", [Role.SIGNER])
    assert len(secret) == 47
    for file in home.root.glob("patunay.db*"):
        assert secret.encode() not in file.read_bytes()
    assert len(query(home, "SELECT secret_sha256 FROM tokens")[0][0]) == 64


async def test_revoking_what_is_not_in_force_is_told(node: Node) -> None:
    token, _ = await create_token(node, "registrar", [Role.SIGNER])
    await revoke_token(node, token.id)
    with pytest.raises(TokenUnknown):
        await revoke_token(node, token.id)


async def test_a_token_expires_at_its_second_and_says_so(
    node: Node, clock: HandClock
) -> None:
    token, secret = await create_token(node, "guest", [Role.AUDITOR], days=2)
    assert token.expires_at == "2026-03-04T08:00:00Z"
    clock.advance(2 * DAY - 1)
    assert (await authenticate(node, bearer(secret))).name == "guest"
    clock.advance(1)
    with pytest.raises(TokenExpired, match="until 2026-03-04T08:00:00Z"):
        await authenticate(node, bearer(secret))


async def test_the_last_day_of_use_is_kept(node: Node, clock: HandClock) -> None:
    _, secret = await create_token(node, "registrar", [Role.SIGNER])
    assert (await listed(node)).last_used_on is None
    await authenticate(node, bearer(secret))
    assert (await listed(node)).last_used_on == "2026-03-02"
    clock.advance(DAY)
    await authenticate(node, bearer(secret))
    assert (await listed(node)).last_used_on == "2026-03-03"


async def test_whoever_shows_a_token_acts_as_it(node: Node) -> None:
    token, secret = await create_token(node, "portal", [Role.SIGNER], issuers=["main"])
    assert current_actor().name.startswith("command line: ")
    actor = await require(node, bearer(secret), Action.CREDENTIAL_ISSUE, "main")
    assert actor == current_actor() == token.actor
    assert actor.token == token.id
    assert actor.issuers == {"main"}
    with pytest.raises(RoleRefused):
        await require(node, bearer(secret), Action.BATCH_APPROVE)
    with pytest.raises(IssuerRefused):
        await require(node, bearer(secret), Action.CREDENTIAL_ISSUE, "other")


async def test_a_token_is_bound_to_issuers_that_are_there(node: Node) -> None:
    with pytest.raises(IssuerUnknown):
        await create_token(node, "portal", [Role.SIGNER], issuers=["main", "other"])
    async with node.reading() as c:
        assert await list_tokens(c) == []


@pytest.mark.parametrize("name", ["", "x" * 101, "a\nb", "a\x1b[2Jb", "a\u202eb"])
async def test_a_name_that_cannot_be_shown_is_refused(node: Node, name: str) -> None:
    with pytest.raises(TokenNameMalformed):
        await create_token(node, name, [Role.SIGNER])


async def test_a_token_without_any_role_is_a_bug(node: Node) -> None:
    with pytest.raises(ValueError, match="needs a role"):
        await create_token(node, "x", [])


async def test_tokens_of_an_older_database_may_do_what_they_could(home: Home) -> None:
    engine = create_engine(locate(home.root, home.config()))
    await migrate(engine, "base")
    await migrate(engine, "0009")
    await engine.dispose()
    meddle(home, "INSERT INTO tokens VALUES ('1', 'old', 'ab', '', NULL)")
    async with opened(home) as node:
        found = await listed(node)
    assert found.roles == {Role.SIGNER}
    assert found.issuers == set()
    assert (found.expires_at, found.last_used_on) == (None, None)
