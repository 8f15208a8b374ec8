"""Each `.po` file holds what the code says, no more and no less.

The pages' texts stand below node/web; everything else that is said is of a report.
"""

import ast
from collections.abc import Callable, Iterator
from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from jinja2 import Environment
from jinja2.ext import extract_from_ast

from primitives.wording.translated import FOLDER
from primitives.wording.words import Area, Language
from tests.architecture.documents import ROOT, read

PACKAGES = ("primitives", "did", "anchoring", "credentials", "node", "cli")
WEB = ROOT / "node" / "web"

AREAS = [(language, area) for language in Language for area in Area][len(Area) :]
"""All but English, which stands in the code."""


def said(area: Area) -> dict[str, str]:
    """Return what the code says in `area`, and where."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            is_page = WEB in path.parents
            if is_page is (area is Area.PAGES) and path.suffix in MESSAGES:
                found.update(dict.fromkeys(MESSAGES[path.suffix](read(path)), str(path)))
    return found


def of_python(source: str) -> Iterator[str]:
    """Yield the texts given to `words.say`, `words.say_count` and `phrase`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args:
            called = node.func
            method = called.attr if isinstance(called, ast.Attribute) else ""
            name = called.id if isinstance(called, ast.Name) else ""
            first = node.args[0]
            is_text = isinstance(first, ast.Constant) and isinstance(first.value, str)
            if is_text and (method in {"say", "say_count"} or name == "phrase"):
                yield ast.literal_eval(first)


def of_template(source: str) -> Iterator[str]:
    parsed = Environment(autoescape=True).parse(source)
    for _, _, message in extract_from_ast(parsed, ("say", "say_count")):
        yield message if isinstance(message, str) else str((message or ("",))[0])


MESSAGES: dict[str, Callable[[str], Iterator[str]]] = {
    ".py": of_python,
    ".html": of_template,
}


def catalogue(language: Language, area: Area) -> Catalog:
    with (FOLDER / language.value / f"{area.value}.po").open("rb") as po:
        return read_po(po, locale=language.value, abort_invalid=True)


def entries(language: Language, area: Area) -> list[Message]:
    return [message for message in catalogue(language, area) if message.id]


def forms(texts: object) -> tuple[str, ...]:
    return tuple(texts) if isinstance(texts, list | tuple) else (str(texts),)


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize(("language", "area"), AREAS)
def test_every_text_is_translated_and_no_translation_is_left_over(
    language: Language, area: Area
) -> None:
    used = said(area)
    held = {forms(message.id)[0] for message in entries(language, area)}
    assert {text: path for text, path in used.items() if text not in held} == {}
    assert held - used.keys() == set()


@pytest.mark.parametrize(("language", "area"), AREAS)
def test_every_translation_is_finished(language: Language, area: Area) -> None:
    assert not catalogue(language, area).obsolete
    for message in entries(language, area):
        assert not message.fuzzy, message.id
        assert all(form.strip() == form != "" for form in forms(message.string)), message.id


@pytest.mark.parametrize(("language", "area"), AREAS)
def test_translations_have_the_places_of_their_text(language: Language, area: Area) -> None:
    for message in entries(language, area):
        wanted = places(forms(message.id)[-1])
        assert {frozenset(places(form)) for form in forms(message.string)} == {
            frozenset(wanted)
        }, message.id
        assert all(name.isidentifier() for name in wanted), message.id


def test_finds_what_code_and_templates_say() -> None:
    python = (
        'words.say("One "\n"{a}", a=1)\nX = phrase("Two")\nw.say_count("3", "4", n)\n'
        'say("of the command line")\nwords.say(X)\ntext.count("x")\n'
    )
    template = '<p>{{ say("Five") }}{% if x %}{{ say_count("6", "7", n) }}{% endif %}</p>'
    assert sorted(of_python(python)) == ["3", "One {a}", "Two"]
    assert list(of_template(template)) == ["Five", "6"]
