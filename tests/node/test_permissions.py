import pytest

from node.permissions import (
    ALLOWED,
    NODE_WIDE,
    Action,
    Actor,
    IssuerRefused,
    Role,
    RoleRefused,
    check_permission,
)

TABLE = """
                      drafter  approver  signer  auditor  admin
credential.read       x        x         x       x        x
credential.issue                         x
credential.revoke                        x
credential.suspend                       x
credential.reinstate                     x
batch.read            x        x         x       x        x
batch.draft           x                  x
batch.approve                  x
template.write                                            x
audit.read                                       x        x
anchor.run                               x                x
issuer.add                                                x
key.change                                                x
token.change                                              x
settings                                                  x
"""
"""Written by hand, as docs/http.md shows it: what the code says has to be this."""


def expected() -> dict[tuple[str, str], bool]:
    header, *lines = TABLE.strip("\n").splitlines()
    columns = {name: header.index(name) for name in header.split()}
    return {
        (line.split()[0], role): line[start : start + 1] == "x"
        for line in lines
        for role, start in columns.items()
    }


def is_allowed(actor: Actor, action: Action, issuer: str | None = None) -> bool:
    try:
        check_permission(actor, action, issuer)
    except (RoleRefused, IssuerRefused):
        return False
    return True


def test_every_role_may_do_what_the_table_says_and_no_more() -> None:
    found = {
        (str(action), str(role)): is_allowed(Actor("x", frozenset({role})), action)
        for action in Action
        for role in Role
    }
    assert found == expected()


def test_the_roles_of_one_token_add_up() -> None:
    both = Actor("x", frozenset({Role.DRAFTER, Role.AUDITOR}))
    allowed = {action for action in Action if is_allowed(both, action)}
    assert allowed == ALLOWED[Role.DRAFTER] | ALLOWED[Role.AUDITOR]


def test_whoever_has_no_role_may_do_nothing() -> None:
    with pytest.raises(RoleRefused, match="found role none, want admin") as caught:
        check_permission(Actor("x", frozenset()), Action.SETTINGS)
    assert caught.value.code == "role-refused"


def test_a_bound_token_acts_for_its_issuers_alone() -> None:
    bound = Actor("x", frozenset(Role), "1", frozenset({"north", "south"}))
    for action in set(Action) - NODE_WIDE:
        assert is_allowed(bound, action, "north")
        assert is_allowed(bound, action, "south")
        assert not is_allowed(bound, action, "main")
    with pytest.raises(IssuerRefused, match="found a token of north, south, want one of m"):
        check_permission(bound, Action.CREDENTIAL_ISSUE, "main")


@pytest.mark.parametrize("action", sorted(NODE_WIDE))
def test_a_bound_token_does_nothing_that_touches_every_issuer(action: Action) -> None:
    bound = Actor("x", frozenset(Role), "1", frozenset({"main"}))
    with pytest.raises(IssuerRefused, match="want one of no issuer"):
        check_permission(bound, action, "main")
