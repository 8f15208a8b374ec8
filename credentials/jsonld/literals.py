"""Literals as canonical N-Quads spells them, JSON-LD 1.1 API section 8.2.2."""

import math
import re
from collections.abc import Mapping
from typing import Final

from primitives.canonical_json import Json, canonicalize
from primitives.errors import Malformed

RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XSD: Final = "http://www.w3.org/2001/XMLSchema#"
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_TOO_LARGE_FOR_INTEGER = 1e21


class JsonldMalformed(Malformed):
    """The document is not one that JSON-LD 1.1 allows."""

    code = "jsonld-malformed"


def typed_value(value: Json, datatype: str | None) -> str:
    """Return the literal of what stands in `@value`."""
    if isinstance(value, str):
        return literal(value, datatype)
    return number_or_boolean(value, datatype)


def language_map(value: Mapping[str, Json]) -> list[str]:
    """Return a literal for each text of a language map."""
    literals = []
    for language, texts in value.items():
        for text in texts if isinstance(texts, list) else [texts]:
            if text is None:
                continue
            if not isinstance(text, str):
                raise JsonldMalformed("a language map must hold texts")
            tag = None if language == "@none" else language
            literals.append(literal(text, language=tag))
    return literals


def json_literal(value: Json) -> str:
    """Return `value` as a JSON literal: its JCS text, whatever it holds."""
    return literal(canonicalize(value).decode(), f"{RDF}JSON")


def number_or_boolean(value: Json, datatype: str | None) -> str:
    """Return the literal of a JSON scalar that is no text."""
    if isinstance(value, bool):
        return literal("true" if value else "false", datatype or f"{_XSD}boolean")
    if isinstance(value, int) and datatype != f"{_XSD}double":
        return literal(str(value), datatype or f"{_XSD}integer")
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise JsonldMalformed(f"found a {type(value).__name__}, want text or a number")
    whole = value % 1 == 0 and abs(value) < _TOO_LARGE_FOR_INTEGER
    if whole and datatype != f"{_XSD}double":
        return literal(str(int(value)), datatype or f"{_XSD}integer")
    mantissa, _, exponent = f"{value:.15E}".partition("E")
    digits = mantissa.rstrip("0")
    digits += "0" if digits.endswith(".") else ""
    return literal(f"{digits}E{int(exponent)}", datatype or f"{_XSD}double")


def literal(text: str, datatype: str | None = None, language: str | None = None) -> str:
    """Return `text` quoted, with its datatype or its language."""
    quoted = f'"{escape(text)}"'
    if language is not None:
        if not _LANGUAGE_TAG.fullmatch(language):
            raise JsonldMalformed(f"found language tag {language[:32]!r}")
        # Either case is allowed; the implementations that sign today use the lower one.
        return f"{quoted}@{language.lower()}"
    if datatype is None or datatype == f"{_XSD}string":
        return quoted
    return f"{quoted}^^<{datatype}>"


_SHORT_ESCAPES = {
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
    '"': '\\"',
    "\\": "\\\\",
}
_TO_ESCAPE = re.compile(r'[\x00-\x1f"\\\x7f]')


def escape(text: str) -> str:
    """Return `text` as canonical N-Quads spells it, RDF 1.2 N-Quads section 3."""
    # Whatever has to be escaped, but for these two, is not printable; most texts are.
    if text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return _TO_ESCAPE.sub(lambda m: _SHORT_ESCAPES.get(m[0]) or f"\\u{ord(m[0]):04X}", text)
