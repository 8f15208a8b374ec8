"""Where the tests find programs that pip does not install.

A missing one skips the test and says how to get it. `PATUNAY_REQUIRE_COMPONENTS=1`, which
CI sets, turns the skip into a failure: a test that never runs protects nothing.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

TOOLS = ROOT / ".tools"
"""What .ci/install-tools installs; not under version control."""

_NODE_MODULES = TOOLS / "npm" / "node_modules"


@dataclass(frozen=True)
class _Component:
    title: str

    remedy: str
    """Completes "X is not installed: …"."""

    programs: tuple[str, ...] = ()
    """Names to look for on PATH; any one will do."""

    places: tuple[Path, ...] = ()
    """Files or folders that are the component; looked at before PATH."""


_MAKE_TOOLS = "run `make tools`"

_COMPONENTS = {
    "schemathesis": _Component(
        "schemathesis",
        _MAKE_TOOLS,
        places=(ROOT / ".tools" / "schemathesis" / "bin" / "schemathesis",),
    ),
    "go": _Component("Go", "install Debian's golang-go", programs=("go",)),
    "node": _Component("Node.js", f"{_MAKE_TOOLS} as root, or install Node.js", ("node",)),
    "npm": _Component("npm", f"{_MAKE_TOOLS} as root, or install Node.js", ("npm",)),
    "anvil": _Component(
        "anvil",
        f"{_MAKE_TOOLS} (needs npm)",
        programs=("anvil",),
        places=(_NODE_MODULES / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil",),
    ),
    "kubo": _Component(
        "Kubo",
        f"{_MAKE_TOOLS} (needs Go)",
        programs=("ipfs",),
        places=(TOOLS / "bin" / "ipfs",),
    ),
    "postgres": _Component(
        "PostgreSQL",
        f"{_MAKE_TOOLS} as root, or install Debian's postgresql",
        programs=("initdb",),
        # Debian keeps initdb and pg_ctl off PATH, in one folder per major version.
        places=tuple(
            sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
        ),
    ),
    "chromium": _Component(
        "Chromium",
        f"{_MAKE_TOOLS} as root, or install Debian's chromium",
        programs=("chromium", "chromium-browser", "google-chrome"),
    ),
    "axe-core": _Component(
        "axe-core",
        f"{_MAKE_TOOLS} (needs npm)",
        places=(_NODE_MODULES / "axe-core",),
    ),
    "nginx": _Component(
        "nginx",
        f"{_MAKE_TOOLS} as root, or install Debian's nginx-light",
        programs=("nginx",),
        places=(Path("/usr/sbin/nginx"),),
    ),
    "systemd": _Component(
        "systemd-analyze",
        f"{_MAKE_TOOLS} as root, or install Debian's systemd",
        programs=("systemd-analyze",),
    ),
    "softhsm": _Component(
        "SoftHSM",
        f"{_MAKE_TOOLS} as root, or install Debian's softhsm2",
        # Debian's own link; the library lies in one folder per architecture.
        places=(Path("/usr/lib/softhsm/libsofthsm2.so"),),
    ),
    "openssl": _Component(
        "openssl",
        f"{_MAKE_TOOLS} as root, or install Debian's openssl",
        programs=("openssl",),
    ),
    "strace": _Component(
        "strace",
        f"{_MAKE_TOOLS} as root, or install Debian's strace",
        programs=("strace",),
    ),
    "pdftotext": _Component(
        "pdftotext",
        f"{_MAKE_TOOLS} as root, or install Debian's poppler-utils",
        programs=("pdftotext",),
    ),
    "unshare": _Component(
        "unshare",
        "install Debian's util-linux",
        programs=("unshare",),
    ),
    "npm-jcs-peer": _Component(
        "the npm peer of eddsa-jcs-2022",
        f"{_MAKE_TOOLS} (needs npm)",
        places=(_NODE_MODULES / "@digitalbazaar" / "eddsa-jcs-2022-cryptosuite",),
    ),
    "fuse": _Component(
        "FUSE",
        f"{_MAKE_TOOLS} as root, or install Debian's fuse3",
        programs=("fusermount3", "fusermount"),
    ),
    "npm-peers": _Component(
        "the set of npm peers",
        f"{_MAKE_TOOLS} (needs npm)",
        places=(_NODE_MODULES / "@digitalbazaar" / "vc",),
    ),
}


def require(name: str) -> Path:
    """Return where component `name` is, or skip the test that asks.

    Programs come back as the path of the binary, with three exceptions: `postgres` is the
    folder that holds initdb and pg_ctl, `npm-peers` the `node_modules` folder, `softhsm`
    the PKCS#11 module.
    """
    component = _COMPONENTS[name]
    found = next(_candidates(component), None)
    if found is None:
        message = f"{component.title} is not installed: {component.remedy}"
        if os.environ.get("PATUNAY_REQUIRE_COMPONENTS") == "1":
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    if name == "npm-peers":
        return _NODE_MODULES
    return found.resolve().parent if name == "postgres" else found


def _candidates(component: _Component) -> Iterator[Path]:
    yield from (place for place in component.places if place.exists())
    for program in component.programs:
        if found := shutil.which(program):
            yield Path(found)
