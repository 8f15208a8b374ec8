"""Reading a template's JSON, with errors that name the place."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from primitives.canonical_json import Json, JsonObject
from primitives.errors import Malformed

_MAX_TEXT = 8192


class TemplateMalformed(Malformed):
    """A template that cannot be issued from; the message starts with the JSON path."""

    code = "template-malformed"


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a template, with the path that leads to it."""

    value: Json

    path: str = "$"
    """As in `$.policy.approvals[0].role`."""

    def fail(self, found: str, want: str) -> NoReturn:
        """Refuse the template because of this value."""
        raise TemplateMalformed(f"{self.path}: found {found}, want {want}")

    def members(self) -> dict[str, "Field"]:
        """Return the members of an object."""
        if not isinstance(self.value, Mapping):
            self.fail(_kind(self.value), "an object")
        return {key: Field(v, f"{self.path}.{key}") for key, v in self.value.items()}

    def closed(self, *, required: str, optional: str = "") -> dict[str, "Field"]:
        """Return the members of an object that has these and no others.

        Args:
            required: Names that must be there, with spaces between.
            optional: Names that may be there.
        """
        members = self.members()
        known = required.split() + optional.split()
        for name in required.split():
            if name not in members:
                self.fail("no such member", f'"{name}"')
        for name, member in members.items():
            if name not in known:
                member.fail("an unknown member", f"one of {', '.join(known)}")
        return members

    def items(self) -> tuple["Field", ...]:
        """Return the items of an array."""
        if not isinstance(self.value, Sequence) or isinstance(self.value, str):
            self.fail(_kind(self.value), "an array")
        return tuple(Field(v, f"{self.path}[{i}]") for i, v in enumerate(self.value))

    def text(self) -> str:
        """Return text that is not empty."""
        if not isinstance(self.value, str) or not self.value.strip():
            self.fail(_kind(self.value), "text that is not empty")
        if len(self.value) > _MAX_TEXT:
            self.fail(f"{len(self.value)} characters", f"at most {_MAX_TEXT}")
        return self.value

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            self.fail(_kind(self.value), "a whole number")
        if not low <= self.value <= high:
            self.fail(str(self.value), f"{low} to {high}")
        return self.value

    def boolean(self) -> bool:
        """Return true or false."""
        if not isinstance(self.value, bool):
            self.fail(_kind(self.value), "true or false")
        return self.value

    def json_object(self) -> JsonObject:
        """Return an object as it stands, once all its text is fit to be signed."""
        if not isinstance(self.value, Mapping):
            self.fail(_kind(self.value), "an object")
        self.refuse_unclean_text()
        return dict(self.value)

    def refuse_unclean_text(self) -> None:
        """Refuse text below this value that is not NFC or holds control characters."""
        if isinstance(self.value, str):
            if not unicodedata.is_normalized("NFC", self.value):
                self.fail("text that is not in NFC", "NFC")
            if not self.value.replace("\n", "").replace("\u00a0", "").isprintable():
                self.fail("a control or invisible character", "plain text")
        elif isinstance(self.value, Mapping):
            for member in self.members().values():
                member.refuse_unclean_text()
        elif isinstance(self.value, Sequence):
            for item in self.items():
                item.refuse_unclean_text()


def _kind(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value[:40]}"'
    if isinstance(value, int | float):
        return f"the number {value}"
    return "an object" if isinstance(value, Mapping) else "an array"
