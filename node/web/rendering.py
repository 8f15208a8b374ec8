"""From a template and values to a page. Whatever is put in is escaped.

Templates see their values, `say` and `say_count` for texts, `day`, `moment` and `number`
(`when` for a moment as it is stored), and the language; a name that is not given is an
error.
"""

from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from node.web.assets import asset_url
from primitives.instants import parse_instant
from primitives.wording.words import Area, Language, Words, words_in

_TEMPLATES: Final = Path(__file__).parent / "templates"


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page_words(language: Language) -> Words:
    """Return the texts of the pages."""
    return words_in(language, Area.PAGES)


def warm_up() -> None:
    """Read every text and template now, so that no reader waits for it; some 0.3 s."""
    for language in Language:
        page_words(language)
        words_in(language, Area.REPORT)
    for name in _environment().list_templates():
        _environment().get_template(name)


def render(template: str, language: Language, **values: Any) -> str:
    """Return the page that `template`, a file's name without `.html`, makes of `values`."""
    words = page_words(language)

    def say(message: str, **values: Any) -> Markup:
        # Our own text holds no markup, which a test sees to; the values are escaped.
        return Markup(words.say(message, **_escaped(values)))  # noqa: S704

    def say_count(one: str, many: str, n: int, **values: Any) -> Markup:
        return Markup(words.say_count(one, many, n, **_escaped(values)))  # noqa: S704

    return (
        _environment()
        .get_template(f"{template}.html")
        .render(
            say=say,
            say_count=say_count,
            day=words.day,
            moment=words.moment,
            when=lambda text: words.moment(parse_instant(text)),
            number=words.number,
            language=language,
            languages=tuple(Language),
            asset=asset_url,
            **values,
        )
    )


def _escaped(values: dict[str, Any]) -> dict[str, str | int]:
    return {
        name: value if isinstance(value, int) else str(escape(value))
        for name, value in values.items()
    }
