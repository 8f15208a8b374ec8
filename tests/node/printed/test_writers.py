"""The two kinds of file: HTML that loads nothing, PDF with its font inside."""

import base64
import hashlib
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from node.printed.content import Judged
from node.printed.html import POLICY, STYLE, write_html
from node.printed.pdf import write_pdf
from primitives.errors import Malformed
from primitives.wording.words import Language
from tests.node.printed.test_content import judged, printed
from tests.support.bundles import kit
from tests.support.components import require
from tests.support.credentials_support import NOW, signed, status_list, unsigned

HOSTILE = "</style><script>alert(1)</script><img src=x onerror=alert(1)> \u2028\u202e\"'&"


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def tags(raw: bytes) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(raw.decode())
    return parser.tags


def hostile() -> bytes:
    made = kit(
        signed(
            unsigned(name=HOSTILE, issuer={"id": "did:web:school.example", "name": HOSTILE})
        )
    )
    one = judged(made)
    broken = Judged(HOSTILE, None, Malformed(HOSTILE))
    return write_html(printed(one, broken, office=HOSTILE))


def test_nothing_of_a_stranger_becomes_a_tag() -> None:
    raw = hostile()
    found = {name for name, _ in tags(raw)}
    assert found <= {
        *("html", "head", "meta", "title", "style", "body", "header", "main", "section"),
        *("h1", "h2", "h3", "p", "br", "div", "span", "table", "colgroup", "col", "thead"),
        *("tbody", "tr", "th", "td", "dl", "dt", "dd", "ul", "li", "b", "a"),
    }
    assert b"&lt;script&gt;" in raw
    assert raw.count(b"<style>") == 1


def test_nothing_is_loaded_and_no_script_can_run() -> None:
    raw = hostile()
    links = [attributes for _, attributes in tags(raw) if "href" in attributes]
    assert all((each["href"] or "").startswith("#d") for each in links)
    assert not any(
        name.startswith("on") or name in {"src", "style", "action", "srcset"}
        for _, attributes in tags(raw)
        for name in attributes
    )
    (policy,) = (
        a["content"]
        for t, a in tags(raw)
        if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy == POLICY
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none';"
        " form-action 'none'"
    )
    assert f"<style>{STYLE}</style>" in raw.decode()
    assert not re.search(r"url\(|@import", STYLE)


def test_a_browser_shows_it_with_its_style_and_complains_of_nothing(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_bytes(write_html(printed(judged())))
    done = subprocess.run(
        [
            *(require("chromium"), "--headless", "--no-sandbox", "--disable-gpu"),
            *(
                "--enable-logging=stderr",
                "--v=0",
                f"--user-data-dir={tmp_path / 'profile'}",
            ),
            *(f"--print-to-pdf={tmp_path / 'page.pdf'}", page.as_uri()),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert "Content Security Policy" not in done.stderr
    fonts = subprocess.run(
        [require("pdftotext"), "-layout", tmp_path / "page.pdf", "-"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Valid as signed by The Example School" in fonts.stdout


@pytest.mark.parametrize("language", list(Language))
def test_the_language_is_named(language: Language) -> None:
    raw = write_html(printed(judged(), language=language))
    assert f'<html lang="{language.value}">'.encode() in raw


def text_of(raw: bytes, folder: Path) -> str:
    file = folder / "report.pdf"
    file.write_bytes(raw)
    done = subprocess.run(
        [require("pdftotext"), "-layout", file, "-"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_a_pdf_says_the_same_and_names_what_its_font_lacks(tmp_path: Path) -> None:
    subject = {"id": "did:example:learner", "name": "Niña Đặng Θεός Жук ᜃ"}
    made = kit(signed(unsigned(credentialSubject=subject)))
    report = printed(judged(made), language=Language.FILIPINO)
    text = text_of(write_pdf(report, NOW), tmp_path)
    assert "May bisa, ayon sa nilagdaan ng The Example School" in text
    assert "Niña Đặng Θεός Жук [U+1703]" in text
    assert "Ang tandang gaya ng [U+1703] ay para sa titik na wala sa font" in text
    assert "Pahina 1 ng 2" in text


def test_a_pdf_of_many_has_a_line_for_each(tmp_path: Path) -> None:
    many = [judged() for _ in range(40)] + [judged(kit(lists=status_list(94_567)))]
    text = text_of(write_pdf(printed(*many), NOW), tmp_path)
    assert "41 documents were checked. 1 needs attention: it stands first." in text
    assert text.index("not to be accepted") < text.index("40 valid")
    assert text.count("Name and signature of whoever checked") == 1


def test_the_same_report_gives_the_same_bytes() -> None:
    report = printed(judged(), judged())
    assert write_pdf(report, NOW) == write_pdf(report, NOW)
    assert write_html(report) == write_html(report)
