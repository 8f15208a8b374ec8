"""The static files that the node shows to the world, under `public/`.

    public/.well-known/did.json            the node's DID document (did:web)
    public/issuers/<slug>/did.json         another issuer's
    public/.../did-history.json            its versions and key events, beside did.json
    public/status/<slug>/<list>            a status list credential
    public/log/checkpoint                  the latest checkpoint
    public/log/tile/...                    C2SP tlog-tiles
    public/node.json                       who signs here, and with which log key

A path below `public/` is the path of its URL, so any web server or CDN can carry them.
They repeat what the database holds: `node.setup.publish_all` writes them anew from it, and
`node.logbook.publish_log` the log.
"""

import re
from pathlib import Path
from typing import Final

from node.config import Config
from node.home import Home
from primitives.canonical_json import Json, canonicalize
from primitives.errors import Malformed

_STATUS_PATH: Final = re.compile(
    r"/status/([a-z0-9-]{1,64})/([A-Za-z0-9][A-Za-z0-9.-]{0,127})"
)


class StatusUrlForeign(Malformed):
    """The URL is not of one of this node's status lists."""

    code = "status-url-foreign"


def did_document_file(home: Home, slug: str) -> Path:
    """Return the file of an issuer's DID document."""
    if slug == "main":
        return home.public / ".well-known" / "did.json"
    return home.public / "issuers" / slug / "did.json"


def did_history_file(home: Home, slug: str) -> Path:
    """Return the file of the history of an issuer's DID."""
    return did_document_file(home, slug).with_name("did-history.json")


def status_list_file(home: Home, config: Config, url: str) -> Path:
    """Return the file of the status list at `url`.

    Raises:
        StatusUrlForeign: `url` is not below this node's own address, or its path is not of
            the one form that the node writes; it never leads out of `public/`.
    """
    match = _STATUS_PATH.fullmatch(url.removeprefix(config.base_url))
    if match is None or not url.startswith(config.base_url):
        raise StatusUrlForeign(f"{url[:120]!r} is not a status list of this node")
    return home.public / "status" / match[1] / match[2]


def publish_did_document(home: Home, slug: str, body: bytes) -> None:
    """Write an issuer's DID document."""
    home.store(did_document_file(home, slug), body)


def publish_did_history(home: Home, slug: str, body: bytes) -> None:
    """Write the history of an issuer's DID."""
    home.store(did_history_file(home, slug), body)


def publish_status_list(home: Home, config: Config, url: str, body: bytes) -> None:
    """Write a status list credential."""
    home.store(status_list_file(home, config, url), body)


def publish_node(home: Home, description: Json) -> None:
    """Write what the node says of itself."""
    home.store(home.public / "node.json", canonicalize(description))


def log_file(home: Home, path: str) -> Path:
    """Return a file of the log, by its path below the log's address."""
    return home.public / "log" / path


def publish_log_file(home: Home, path: str, body: bytes) -> None:
    """Write one file of the log; `path` comes from `anchoring.tiles` or is `checkpoint`."""
    home.store(log_file(home, path), body)
