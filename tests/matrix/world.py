"""A provider that was: `python -m tests.matrix.world` runs it once, and keeps what is left.

A node of `school.example` issues and anchors in a chain of its own (anvil), revokes,
suspends, has a key stolen and says so. Then node, domain and chain are gone: `world.json`
holds what holders and an office have kept. Its keys are new in each run.

    2 March     two diplomas and a certificate issued and anchored
    15 June     the second diploma is revoked, the certificate suspended; anchored again
    1 July      a diploma is issued and anchored: as it turns out, by a thief
    1 August    the key is declared stolen since 20 June; anchored again
"""

import asyncio
import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from web3.types import RPCEndpoint

from anchoring.cosignature import cosign, with_cosignatures
from anchoring.evm import EvmAnchor
from anchoring.evm_deploy import deploy
from anchoring.evm_purse import Purse
from anchoring.evm_rpc import HttpRpc
from anchoring.receipt import anchor_json
from cli.network import Surroundings
from credentials.data_integrity import add_proof
from node.chain_proofs import ChainProofJob
from node.home import Home
from node.issuance import issue_document
from node.log_reading import read_log
from node.node import EVM_KEY, Node
from node.status import revoke, suspend
from primitives.canonical_json import JsonObject
from primitives.ed25519 import SoftwareSigner
from primitives.encodings import encode_base64
from primitives.instants import format_instant
from tests.support.anvil import running_anvil
from tests.support.chains import fund
from tests.support.command_line import run
from tests.support.declaring import declare_compromised
from tests.support.nodes import (
    PASSPHRASE,
    HandClock,
    anchor,
    document_of,
    issue,
    make_home_here,
    opened,
)

FILE = Path(__file__).with_name("world.json")
CHAIN_ID = 11_155_111
SITE = "school.example"
WITNESS = SoftwareSigner(b"w" * 32)
WITNESS_NAME = "witness.example"


def day(month: int, number: int, hour: int = 9) -> datetime:
    """Return an hour of a day of the year in which all of it happens."""
    return datetime(2026, month, number, hour, tzinfo=UTC)


@dataclass
class Story:
    """The provider while it is there, and what is kept of it."""

    home: Home
    node: Node
    clock: HandClock
    chain: EvmAnchor
    rpc: HttpRpc
    kept: dict[str, Any]

    async def anchor_at(self, moment: datetime) -> None:
        """Anchor all that waits in a block of that time, with the proof of the block."""
        self.clock.moment = moment
        seconds = int(moment.timestamp())
        await self.rpc.make_request(RPCEndpoint("evm_setNextBlockTimestamp"), [seconds])
        await anchor(self.node, self.chain)
        await ChainProofJob(self.node, self.chain).step()

    async def keep(self, name: str, moment: datetime, *names: str) -> None:
        """Keep what the provider publishes at that time, and bundles of credentials."""
        self.clock.moment = moment
        public = self.home.public
        lists = {}
        for file in sorted((public / "status").rglob("*")):
            if file.is_file():
                document = json.loads(file.read_bytes())
                lists[document["id"]] = document
        self.kept["days"][name] = {
            "at": format_instant(moment),
            "did": json.loads((public / ".well-known" / "did.json").read_bytes()),
            "history": json.loads(
                (public / ".well-known" / "did-history.json").read_bytes()
            ),
            "lists": lists,
            "checkpoint": (public / "log" / "checkpoint").read_text(encoding="utf-8"),
        }
        for credential in names:
            made = await asyncio.to_thread(self._bundle, credential)
            self.kept["bundles"][f"{credential}-{name}"] = made

    def _bundle(self, name: str) -> JsonObject:
        with tempfile.TemporaryDirectory() as folder:
            given, written = Path(folder) / "credential.json", Path(folder) / "bundle.json"
            given.write_text(json.dumps(self.kept["credentials"][name]), encoding="utf-8")
            result = run(
                *("bundle", given, "-o", written),
                home=self.home.root,
                passphrase=PASSPHRASE.decode(),
                surroundings=Surroundings(self.clock),
            )
            assert result.exit_code == 0, result.output
            assert "lacks" not in result.stdout, result.stdout
            found: JsonObject = json.loads(written.read_bytes())
            return found


async def live(story: Story) -> None:
    """Let the year pass."""
    node, kept = story.node, story.kept
    described = json.loads((story.home.public / "node.json").read_bytes())
    kept["did"] = described["issuers"][0]["did"]
    kept["vkey"] = described["log"]["vkey"]
    story.clock.moment = day(3, 2)
    done = await issue(node, 2)
    for name, uuid in zip(("good", "revoked"), done.issued, strict=True):
        kept["credentials"][name] = await document_of(node, uuid)
    # No Open Badge has two entries; this one has, for revocation and for suspension.
    plain: JsonObject = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:uuid:00000000-0000-4000-8000-00000000cafe",
        "type": ["VerifiableCredential"],
        "name": "Certificate of Enrolment",
        "validFrom": "2026-03-02T00:00:00Z",
        "validUntil": "2026-09-30T00:00:00Z",
        "credentialSubject": {"id": "did:example:learner"},
    }
    kept["credentials"]["suspended"] = await issue_document(node, plain, None)
    await story.anchor_at(day(3, 2, 10))
    await story.keep("march", day(3, 3), "good", "revoked", "suspended")

    story.clock.moment = day(6, 15)
    await revoke(node, done.issued[1], "issued by mistake")
    await suspend(node, str(plain["id"])[-36:], "a fee is open")
    await story.anchor_at(day(6, 15, 10))
    await story.keep("june", day(6, 16))

    story.clock.moment = day(7, 1)
    old = {n: v for n, v in kept["credentials"]["good"].items() if n != "proof"}
    signer = node.keys().signer("main.credential")
    (proof,) = kept["credentials"]["good"]["proof"]
    method = proof["verificationMethod"]
    # Never seen by the node: the thief has the key, and nothing else.
    kept["credentials"]["unlogged"] = add_proof(
        {**old, "id": "urn:uuid:00000000-0000-4000-8000-00000000dead"},
        signer,
        verification_method=method,
        created=day(2, 1),
    )
    # This one the thief had the node issue.
    wanted = {n: v for n, v in old.items() if n not in ("credentialStatus", "issuer")}
    kept["credentials"]["late"] = await issue_document(
        node, {**wanted, "id": "urn:uuid:00000000-0000-4000-8000-00000000beef"}, None
    )
    await story.anchor_at(day(7, 1, 10))
    await story.keep("july", day(7, 2), "late", "good")

    story.clock.moment = day(8, 1)
    await declare_compromised(node, method, day(6, 20))
    await story.anchor_at(day(8, 1, 10))
    await story.keep("august", day(8, 2), "good", "late", "suspended")
    reading = await read_log(node)
    kept["records"] = [
        {
            "record": encode_base64(one.record),
            "anchors": [anchor_json(each) for each in one.anchors],
        }
        for one in reading.records
    ]
    receipt = kept["bundles"]["good-march"]["receipt"]["value"]["tlogProof"]
    kept["witnessed"] = _witnessed(receipt)


def _witnessed(proof: str) -> str:
    """Return a tlog-proof with a witness's cosignature of its checkpoint."""
    head, _, note = proof.partition("\n\n")
    text = note.partition("\n\n")[0] + "\n"
    line = str(cosign(text, WITNESS_NAME, WITNESS, day(3, 2, 11)))
    return f"{head}\n\n{with_cosignatures(note, [line])}"


async def main() -> None:
    """Write the file anew."""
    kept: dict[str, Any] = {"credentials": {}, "bundles": {}, "days": {}}
    begun = int((day(1, 10) - timedelta(hours=1)).timestamp())
    async with running_anvil("--chain-id", str(CHAIN_ID), "--timestamp", str(begun)) as url:
        rpc = HttpRpc(url, timeout_seconds=5)
        key = bytes(range(32))
        await fund(rpc, Purse(key).address)
        contract = await deploy(rpc, f"eip155:{CHAIN_ID}", key)
        clock = HandClock(day(1, 10))
        with tempfile.TemporaryDirectory() as folder:
            home = await make_home_here(
                Path(folder) / "node",
                clock,
                domain=SITE,
                public_url=f"https://{SITE}",
                allow_loopback_http=False,
            )
            async with opened(home, clock) as node:
                own = node.keys().secret(EVM_KEY)
                await fund(rpc, Purse(own).address)
                chain = EvmAnchor.connect(url, contract, private_key=own)
                await live(Story(home, node, clock, chain, rpc, kept))
                await chain.close()
        await rpc.disconnect()
    text = json.dumps(kept, ensure_ascii=False, indent=1, sort_keys=True)
    FILE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
