"""What Patunay issues, read by the software of others; and what they issue, read by it.

Nothing here touches the network. The peers' sockets are locked (tests/peers/offline.mjs),
and where one would look something up it finds what the test hands over, and no more.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from credentials.evidence import Evidence
from credentials.jsonld.canon import canonicalize_quads
from credentials.jsonld.loader import KNOWN
from credentials.jsonld.quads import Engine
from credentials.judge import judge
from credentials.policy import Policy
from credentials.report import Outcome, Standing
from primitives.instants import parse_instant
from primitives.strict_json import parse_json_object
from tests.interop.issued import (
    INDEX,
    ISSUER,
    LIST_URL,
    every_change,
    named_changes,
    signed,
    status_list,
    unsigned,
)
from tests.interop.peers import ask
from tests.support.documents import serving
from tests.support.standards import shared, standards

CONTEXTS = {url: {"@context": context} for url, context in KNOWN.items()}

REGISTRY_URL = "https://registry.example/issuers.json"
REGISTRIES = [{"name": "Sample registry", "type": "dcc-legacy", "url": REGISTRY_URL}]
REGISTRY = {
    "registry": {ISSUER: {"name": "Sample", "url": "https://x.example", "location": "PH"}}
}

# A list that differs from another in nothing but one bit has another URL here, so that
# one process can be asked about both.
OTHER_LIST_URL = f"{LIST_URL}-other"
REST_OF_ITS_BYTE = [i for i in range(INDEX & ~7, (INDEX & ~7) + 8) if i != INDEX]
FROM_THE_RIGHT = INDEX ^ 7
"""Where a reader that counts the bits of each byte from the right looks for INDEX."""


def copies(credential: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the credential as issued, and by name every copy that must be refused."""
    bare = {key: value for key, value in credential.items() if key != "proof"}
    return {
        "as issued": credential,
        "proof taken away": bare,
        "honours added": {**credential, "honours": "summa cum laude"},
        **named_changes(credential),
        **every_change(credential),
    }


def accepted(names: dict[str, Any], answers: list[dict[str, Any]]) -> list[str]:
    return [n for n, answer in zip(names, answers, strict=True) if answer["accepted"]]


def reasons(
    credential: dict[str, Any], names: dict[str, Any], answers: list[dict[str, Any]]
) -> set[str]:
    """Return the last reason given for each of the changes with a name."""
    by_name = dict(zip(names, answers, strict=True))
    return {by_name[name]["reasons"][-1] for name in named_changes(credential)}


@pytest.mark.parametrize("list_url", [LIST_URL, None])
def test_digitalbazaar_accepts_ours_and_refuses_every_changed_character(
    tmp_path: Path, list_url: str | None
) -> None:
    credential = signed(unsigned(list_url=list_url))
    asked = copies(credential)
    answers = ask(
        "digitalbazaar_vc",
        [{"verify": copy} for copy in asked.values()],
        documents={**CONTEXTS, LIST_URL: status_list(*REST_OF_ITS_BYTE)},
        folder=tmp_path,
    )
    assert accepted(asked, answers) == ["as issued"]
    assert reasons(credential, asked, answers) == {"Error: Invalid signature."}
    assert (LIST_URL in answers[0]["asked"]) == (list_url is not None)


def test_verifier_core_accepts_ours_and_refuses_every_changed_character(
    tmp_path: Path,
) -> None:
    """Its fetch is replaced, its check of the proof is not.

    It fetches three things: the status list (ours, as a node would serve it), the issuer
    registries that the caller names (one of ours, that lists the issuer: the wallet shows
    no credential of an unlisted issuer as verified), and the JSON schema (one that allows
    everything; the test below hands it the official one). Contexts it brings itself.
    """
    credential = signed(unsigned(list_url=LIST_URL))
    schema_url = credential["credentialSchema"][0]["id"]
    asked = copies(credential)
    answers = ask(
        "verifier_core",
        [{"verify": copy, "registries": REGISTRIES} for copy in asked.values()],
        documents={
            LIST_URL: status_list(*REST_OF_ITS_BYTE),
            REGISTRY_URL: REGISTRY,
            schema_url: {},
        },
        folder=tmp_path,
    )
    assert accepted(asked, answers) == ["as issued"]
    refusal = "invalid_signature: The signature is not valid."
    assert reasons(credential, asked, answers) == {refusal}
    assert answers[0]["asked"] == [LIST_URL, REGISTRY_URL, schema_url]
    assert answers[0]["steps"] == dict.fromkeys(
        ("valid_signature", "expiration", "revocation_status", "registered_issuer"), True
    )


def test_verifier_core_finds_ours_to_follow_the_official_schema(tmp_path: Path) -> None:
    credential = signed(unsigned(list_url=LIST_URL))
    schema = standards(
        "schemas", "ob_v3p0_achievementcredential_schema.waltid.json"
    ).read_text()
    nameless: dict[str, Any] = unsigned(list_url=LIST_URL)
    del nameless["credentialSubject"]["achievement"]["name"]
    answers = ask(
        "verifier_core",
        [{"verify": c, "registries": []} for c in (credential, signed(nameless))],
        documents={
            LIST_URL: status_list(),
            credential["credentialSchema"][0]["id"]: json.loads(schema),
        },
        folder=tmp_path,
    )
    assert [answer["schema"][0]["valid"] for answer in answers] == [True, False]


def test_learncard_accepts_ours_and_refuses_every_changed_character(
    tmp_path: Path,
) -> None:
    """Nothing is replaced: it brings its contexts, and a proof needs nothing else."""
    credential = signed(unsigned(list_url=LIST_URL))
    asked = copies(credential)
    answers = ask(
        "learncard_didkit",
        [{"verify": copy, "checks": ["proof"]} for copy in asked.values()],
        documents={},
        folder=tmp_path,
    )
    assert accepted(asked, answers) == ["as issued"]
    assert answers[0]["checks"] == ["proof"]
    # What its cryptography library says of a signature that does not match.
    assert reasons(credential, asked, answers) == {"ring::error::Unspecified"}


@pytest.mark.parametrize("peer", ["digitalbazaar_vc", "verifier_core"])
def test_a_peer_refuses_the_one_credential_that_is_revoked(
    tmp_path: Path, peer: str
) -> None:
    revoked = signed(unsigned(list_url=LIST_URL))
    good = signed(unsigned(list_url=OTHER_LIST_URL))
    answers = ask(
        peer,
        [
            {"verify": credential, "registries": REGISTRIES}
            for credential in (revoked, good)
        ],
        documents={
            **CONTEXTS,
            LIST_URL: status_list(INDEX),
            OTHER_LIST_URL: status_list(*REST_OF_ITS_BYTE, url=OTHER_LIST_URL),
            REGISTRY_URL: REGISTRY,
            revoked["credentialSchema"][0]["id"]: {},
        },
        folder=tmp_path,
    )
    assert [answer["accepted"] for answer in answers] == [False, True]


async def test_learncard_counts_the_bits_of_a_byte_from_the_right(tmp_path: Path) -> None:
    """A fault of the peer's, written down here because learners feel it.

    The standard has index 0 at the left-most bit. LearnCard takes a revoked credential
    for good, and its mirror image in the same byte for revoked. Only a list that has both
    bits set is read alike by everyone.
    """
    lists = {"left": [INDEX], "right": [FROM_THE_RIGHT], "both": [INDEX, FROM_THE_RIGHT]}

    async def serve(request: web.Request) -> web.Response:
        url = f"http://{request.host}{request.path}"
        return web.json_response(status_list(*lists[request.path[1:]], url=url))

    async with serving(serve) as port:
        urls = [f"http://127.0.0.1:{port}/{name}" for name in lists]
        answers = await asyncio.to_thread(
            ask,
            "learncard_didkit",
            [
                {
                    "verify": signed(unsigned(list_url=url)),
                    "checks": ["proof", "credentialStatus"],
                }
                for url in urls
            ],
            documents={},
            folder=tmp_path,
        )
    assert [answer["reasons"] for answer in answers] == [
        [],
        ["Credential is revoked."],
        ["Credential is revoked."],
    ]
    assert answers[0]["checks"] == ["proof", "status"]


def test_accepts_what_digitalbazaar_issues_and_no_changed_character(
    tmp_path: Path,
) -> None:
    (answer,) = ask(
        "digitalbazaar_vc", [{"issue": unsigned()}], documents=CONTEXTS, folder=tmp_path
    )
    foreign = answer["credential"]
    assert foreign["issuer"]["id"] != ISSUER
    as_of = parse_instant(foreign["proof"]["created"])
    reports = {
        name: judge(copy, Evidence(), Policy(), as_of)
        for name, copy in copies(foreign).items()
    }
    valid = [name for name, report in reports.items() if report.outcome is Outcome.VALID]
    assert valid == ["as issued"]
    assert reports["as issued"].standing is Standing.IN_FORCE
    for name in named_changes(foreign):
        assert reports[name].outcome is Outcome.REJECTED, name
        assert reports[name].check("proof").code == "signature-rejected", name


def patunay_nquads(text: bytes, contexts: dict[str, Any]) -> str:
    return canonicalize_quads(Engine(contexts).quads(parse_json_object(text)))


def test_canonicalizes_the_domain_examples_as_jsonld_js_does(tmp_path: Path) -> None:
    files = sorted(shared("domain", "examples").glob("*.json"))
    texts = {
        file.name: raw for file in files if b'"@context"' in (raw := file.read_bytes())
    }
    assert len(texts) > 15
    answers = ask(
        "jsonld",
        [{"text": text.decode()} for text in texts.values()],
        documents=CONTEXTS,
        folder=tmp_path,
    )
    for (name, text), answer in zip(texts.items(), answers, strict=True):
        assert patunay_nquads(text, dict(KNOWN)) == answer["nquads"], name


XSD = "http://www.w3.org/2001/XMLSchema#"
VOCABULARY_URL = "https://vocabulary.example/context"
VOCABULARY = {
    "@version": 1.1,
    "id": "@id",
    "v": "https://vocabulary.example/#",
    "value": "v:value",
    "exact": {"@id": "v:exact", "@type": f"{XSD}double"},
    "grade": {"@id": "v:grade", "@type": f"{XSD}float"},
    "title": {"@id": "v:title", "@container": "@language"},
    "raw": {"@id": "v:raw", "@type": "@json"},
    "steps": {"@id": "v:steps", "@container": "@list"},
}
# As JSON text: Python and JavaScript read 3.0 into different things.
MEMBERS = {
    "numbers": '"value": [3.0, 1.5e-7, 0.1, 1e300, 1e20, 1e21, -2.50, -0.0, true]',
    "typed numbers": '"exact": [3, 3.0, 1e-7, 5e-324, 1e21], "grade": [3.0, 2.5, 1]',
    "language map": '"title": {"en": "Farmer", "fil-PH": ["Magsasaka", "Mambubukid"]}',
    "json": '"raw": {"b": [3.0, 1e-7, 1E21, null], "a": "\\u00f1\\u2028\\"", "": {}}',
    "lists": '"steps": [3.0, "two", {"value": 0.25}, {"@value": "x", "@language": "fil"}]',
    "two lists": '"value": [{"id": "urn:m", "steps": [1]}, {"id": "urn:m", "steps": [1]}]',
    "escapes": '"value": "line\\nfeed\\ttab \\\\ \\"quoted\\" \\u007f ñ 𐐷"',
}


def test_canonicalizes_odd_values_as_jsonld_js_does(tmp_path: Path) -> None:
    texts = {
        name: f'{{"@context": "{VOCABULARY_URL}", {members}}}'
        for name, members in MEMBERS.items()
    }
    answers = ask(
        "jsonld",
        [{"text": text} for text in texts.values()],
        documents={VOCABULARY_URL: {"@context": VOCABULARY}},
        folder=tmp_path,
    )
    for (name, text), answer in zip(texts.items(), answers, strict=True):
        ours = patunay_nquads(text.encode(), {VOCABULARY_URL: VOCABULARY})
        assert ours == answer["nquads"], name
        assert ours.count("\n") > 0, name


def test_keeps_the_tiny_numbers_that_jsonld_js_takes_for_zero(tmp_path: Path) -> None:
    """JSON-LD calls every number with a fraction a double; XSD keeps the sign of zero.

    jsonld.js looks for a point in what JavaScript writes, and 1e-7 has none. Under its
    signatures 1e-7 and 2e-7 are one number, so nothing that it is to check may hold any.
    """
    literals = {
        '"value": 1e-7': (f'"1.0E-7"^^<{XSD}double>', f'"0"^^<{XSD}integer>'),
        '"value": 2e-7': (f'"2.0E-7"^^<{XSD}double>', f'"0"^^<{XSD}integer>'),
        '"exact": -0.0': (f'"-0.0E0"^^<{XSD}double>', f'"0.0E0"^^<{XSD}double>'),
    }
    texts = [f'{{"@context": "{VOCABULARY_URL}", {members}}}' for members in literals]
    answers = ask(
        "jsonld",
        [{"text": text} for text in texts],
        documents={VOCABULARY_URL: {"@context": VOCABULARY}},
        folder=tmp_path,
    )
    for text, answer, (ours, theirs) in zip(texts, answers, literals.values(), strict=True):
        assert ours in patunay_nquads(text.encode(), {VOCABULARY_URL: VOCABULARY})
        assert theirs in answer["nquads"]
