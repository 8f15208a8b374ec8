"""The kit's page: a bundle looked for in the log that it names, by a browser alone."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from anchoring.note import VerifierKey
from credentials.bundle import encode_bundle
from primitives.canonical_json import canonicalize
from tests.support.bundles import kit, resealed
from tests.support.components import ROOT
from tests.support.credentials_support import LOG_KEY, STRANGER

PAGE = ROOT / "scripts" / "offline_kit" / "check.html"
BUNDLE = encode_bundle(kit().bundle)


async def answer(browser: Browser, raw: bytes, key: str) -> tuple[str, str]:
    """Return the tone and the words of the answer; the page may ask for nothing."""
    page = await browser.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    await page.goto(PAGE.as_uri())
    file: Any = {"name": "b.json", "mimeType": "application/json", "buffer": raw}
    await page.set_input_files("#file", file)
    await page.fill("#key", key)
    await page.click("#check")
    found = page.locator("#answer")
    await found.wait_for(state="visible")
    tone = await found.get_attribute("data-tone") or ""
    words = await found.inner_text()
    await page.close()
    assert (asked, said) == ([PAGE.as_uri()], [])
    return tone, words


async def test_a_document_in_the_log_of_the_key_is_found(browser: Browser) -> None:
    tone, words = await answer(browser, BUNDLE, f" {LOG_KEY}\n")
    assert tone == "good"
    assert "this very document is entry 2 of 2 in the log log.school.example" in words
    assert "Oo: ang mismong dokumentong ito ay tala bilang 2 sa 2" in words


def changed(**credential: Any) -> bytes:
    """Return the bundle with another credential, its digest written anew by a forger."""
    parts = json.loads(BUNDLE)
    return resealed({**parts, "credential": {**parts["credential"], **credential}})


def other_proof(old: str, new: str) -> bytes:
    parts = json.loads(BUNDLE)
    proof = parts["receipt"]["value"]["tlogProof"]
    assert old in proof
    parts["receipt"]["value"]["tlogProof"] = proof.replace(old, new)
    return resealed(parts)


@pytest.mark.parametrize(
    ("raw", "key", "why"),
    [
        (
            changed(name="Doctor of Everything"),
            LOG_KEY,
            "not the one that stands in the log",
        ),
        (other_proof("index 1", "index 0"), LOG_KEY, "not the one that stands in the log"),
        (other_proof("index 1", "index 2"), LOG_KEY, "that the log does not have"),
        (other_proof("school.example\n2", "school.example\n3"), LOG_KEY, "does not hold"),
        (
            BUNDLE,
            VerifierKey(LOG_KEY.name, STRANGER.public_key),
            "the key that you typed has not signed the checkpoint",
        ),
        (
            BUNDLE,
            VerifierKey("other.example", LOG_KEY.public_key),
            "not in that of your key",
        ),
        (BUNDLE, str(LOG_KEY).replace("+b6d5159f+", "+b6d5159e+"), "the key is misspelt"),
        (BUNDLE, "", "no key of a log"),
        (BUNDLE.replace(b"Ana", b"Eva"), LOG_KEY, "the bundle is damaged"),
        (
            BUNDLE.replace(b'"version":1', b'"version":1,"version":1'),
            LOG_KEY,
            "one spelling",
        ),
        (BUNDLE + b"\n", LOG_KEY, "one spelling"),
        (b"\xff", LOG_KEY, "no JSON"),
        (canonicalize({"hello": "world"}), LOG_KEY, "no evidence bundle"),
    ],
)
async def test_anything_else_is_not_shown_and_says_why(
    browser: Browser, raw: bytes, key: object, why: str
) -> None:
    tone, words = await answer(browser, raw, str(key))
    assert tone == "bad"
    assert why in words


def test_the_policy_lets_this_script_and_this_style_run_and_nothing_else() -> None:
    text = PAGE.read_text("utf-8")

    def digest(tag: str) -> str:
        (inner,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        found = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        return f"'sha256-{found}'"

    (policy,) = re.findall(r'Content-Security-Policy" content="(.*?)"', text)
    assert policy == (
        f"default-src 'none'; script-src {digest('script')}; style-src {digest('style')};"
        " base-uri 'none'; form-action 'none'"
    )
    assert not re.search(r"(src|href)=|https?://", text)


def test_it_says_what_it_does_not_check() -> None:
    text = PAGE.read_text("utf-8")
    assert text.count("<li>") == 5
    assert text.count('lang="fil"') >= 3
    assert Path(PAGE).stat().st_size < 12_000
