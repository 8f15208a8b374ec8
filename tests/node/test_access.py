import pytest

from node.access import TokenMissing, TokenRefused, create_token, require_token
from node.home import Home
from node.node import Node
from node.storage.registry import TokenUnknown, list_tokens, revoke_token
from tests.support.nodes import query


async def test_a_token_lets_its_bearer_in_until_it_is_revoked(node: Node) -> None:
    token, secret = await create_token(node, "registrar")
    assert (await require_token(node, f"Bearer {secret}")) == token
    assert (await require_token(node, f"bearer  {secret} ")) == token
    async with node.writing() as c:
        await revoke_token(c, token.id, node.now())
    with pytest.raises(TokenRefused) as caught:
        await require_token(node, f"Bearer {secret}")
    assert caught.value.code == "token-refused"
    async with node.reading() as c:
        (listed,) = await list_tokens(c)
    assert (listed.name, listed.revoked_at) == ("registrar", node.now())


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "ptn_abc"])
async def test_without_a_token_the_answer_says_so(node: Node, header: str | None) -> None:
    with pytest.raises(TokenMissing) as caught:
        await require_token(node, header)
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
    _, secret = await create_token(node, "registrar")
    assert callable(change)
    with pytest.raises(TokenRefused):
        await require_token(node, f"Bearer {change(secret)}")


async def test_no_secret_is_stored(node: Node, home: Home) -> None:
    _, secret = await create_token(node, "registrar")
    assert len(secret) == 47
    for file in home.root.glob("patunay.db*"):
        assert secret.encode() not in file.read_bytes()
    assert len(query(home, "SELECT secret_sha256 FROM tokens")[0][0]) == 64


async def test_revoking_what_is_not_in_force_is_told(node: Node) -> None:
    token, _ = await create_token(node, "registrar")
    async with node.writing() as c:
        await revoke_token(c, token.id, node.now())
        with pytest.raises(TokenUnknown):
            await revoke_token(c, token.id, node.now())
