"""How the command line names a credential."""

import uuid

from primitives.errors import Malformed


class CredentialIdMalformed(Malformed):
    """The text is not the id of a credential that a node has issued."""

    code = "credential-id-malformed"
    hint = "give the `id` of the credential, such as urn:uuid:7f6c2f0e-…"


def read_uuid(text: str) -> str:
    """Return the UUID of a credential's id, `urn:uuid:` or not, in lower case.

    Raises:
        CredentialIdMalformed: It is neither.
    """
    try:
        return str(uuid.UUID(text.removeprefix("urn:uuid:")))
    except ValueError as e:
        raise CredentialIdMalformed(f"found {text[:80]!r}, want a UUID") from e
