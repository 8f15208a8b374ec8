"""Ways to change what a holder brings: parts that are missing, or written anew."""

from typing import Any, Final

from tests.matrix.office import world

FIRST: Final[Any] = world()["bundles"]["good-march"]["receipt"]["value"]["anchors"][0]
CHAIN: Final[str] = FIRST["contract"].rpartition(":")[0]


def without(*names: str) -> Any:
    """Leave out these parts."""

    def edit(bundle: Any) -> None:
        for name in names:
            bundle[name] = None if name == "receipt" else []

    return edit


def no_anchors(bundle: Any) -> None:
    """Keep the checkpoint, and nothing of a chain."""
    bundle["receipt"]["value"]["anchors"] = []


def witnessed(bundle: Any) -> None:
    """Add the witness's cosignature, and leave the chain away."""
    no_anchors(bundle)
    bundle["receipt"]["value"]["tlogProof"] = world()["witnessed"]


def no_header(bundle: Any) -> None:
    """Leave header and Merkle-Patricia proof away."""
    for anchor in bundle["receipt"]["value"]["anchors"]:
        del anchor["proof"]


def earlier_block(bundle: Any) -> None:
    """Claim an earlier time for the block."""
    for anchor in bundle["receipt"]["value"]["anchors"]:
        anchor["timestamp"] = "2020-01-01T00:00:00Z"


def development_chain(bundle: Any) -> None:
    """Say that the anchor is on a chain that anyone can start."""
    for anchor in bundle["receipt"]["value"]["anchors"]:
        anchor["contract"] = anchor["contract"].replace(CHAIN, "eip155:31337")


def receipt_of_another(bundle: Any) -> None:
    """Put in the receipt of the other diploma."""
    bundle["receipt"] = world()["bundles"]["revoked-march"]["receipt"]


def no_log_proof(bundle: Any) -> None:
    """Leave away that the log has the DID document."""
    for part in bundle["didDocuments"]:
        part["tlogProof"] = None


def no_history_proofs(bundle: Any) -> None:
    """Leave away that the log has the history."""
    for part in bundle["histories"]:
        part["tlogProofs"] = []


def undated_list(bundle: Any) -> None:
    """Take the date from the list's signature."""
    for part in bundle["statusLists"]:
        del part["value"]["proof"]["created"]


def of_another_log(bundle: Any) -> None:
    """Say that the list was had only now: the maker of a bundle may write that."""
    for part in bundle["statusLists"]:
        part["obtainedAt"] = "2026-07-10T00:00:00Z"


def only_suspensions(bundle: Any) -> None:
    """Leave the list of revocations away."""
    bundle["statusLists"] = [
        part for part in bundle["statusLists"] if part["name"].endswith("-suspension")
    ]


def another_context(bundle: Any) -> None:
    """Name another revision of the contexts."""
    bundle["contexts"] = dict.fromkeys(bundle["contexts"], "00" * 32)


def unknown_context(credential: Any) -> None:
    """Name a context that no release holds."""
    credential["@context"].append("https://unknown.example/context/v1")


def a_grade_better(document: Any) -> None:
    """Change a word of what was signed."""
    target = document.get("credential", document)
    target["credentialSubject"]["id"] = "did:example:somebody-else"


def one_byte(raw: bytes) -> bytes:
    """Change a byte in the middle of a pack."""
    at = raw.index(b"Bureau of Alternative")
    return raw[:at] + b"b" + raw[at + 1 :]


def cut(raw: bytes) -> bytes:
    """Lose the end of a pack."""
    return raw[:-100]
