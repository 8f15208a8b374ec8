"""JSON bodies as frozen dataclasses: written, read strictly, and described as JSON Schema.

A field `tree_size` is the member `treeSize`. What stands here is what OpenAPI shows, so
the description cannot say something else than the code does.
"""

import ast
import inspect
import re
import textwrap
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from primitives.canonical_json import Json, JsonObject
from primitives.errors import Malformed

T = TypeVar("T")


class Keywords:
    """Keywords of JSON Schema that an `Annotated` type has besides its `type`."""

    def __init__(self, **words: str | int) -> None:
        self.words = words


Instant = Annotated[str, Keywords(format="date-time")]
"""A time as `primitives.instants` writes it."""

Sha256Hex = Annotated[str, Keywords(pattern="^[0-9a-f]{64}$")]
"""A SHA-256 in lower-case hexadecimal."""

_PLAIN: Final = {str: "string", bool: "boolean", int: "integer"}


class RequestMalformed(Malformed):
    """The request's body or query is not of the form that this route takes."""

    code = "request-malformed"
    hint = "`GET /openapi.json` describes each route's body and query"


def member_name(field: str) -> str:
    """Return a field's name as JSON has it."""
    first, *others = field.split("_")
    return first + "".join(word.capitalize() for word in others)


def to_json(value: Any) -> Json:
    """Return a dataclass, and what it holds, as JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        return {member_name(f.name): to_json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {str(name): to_json(item) for name, item in value.items()}
    if value is None or isinstance(value, str | int | bool):
        return value
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def body_of(value: Any) -> JsonObject:
    """Return a dataclass as a JSON object."""
    made = to_json(value)
    if not isinstance(made, dict):
        raise TypeError(f"{type(value).__name__} is no object in JSON")
    return made


# Reading


def read(kind: type[T], value: JsonObject, where: str = "") -> T:
    """Return the dataclass `kind` that a JSON object spells; unknown members are refused.

    Raises:
        RequestMalformed: A member is missing, unknown, or of another type or range.
    """
    known = {member_name(f.name): f for f in fields(kind)}  # type: ignore[arg-type]
    for name in value:
        if name not in known:
            wanted = ", ".join(known) or "none"
            raise RequestMalformed(f"found {where}{name[:64]}, want only: {wanted}")
    hints = hints_of(kind)
    made: dict[str, Any] = {}
    for name, field in known.items():
        if name in value:
            if value[name] is None and field.default is None:
                raise RequestMalformed(f"found {where}{name} null, want it left out")
            made[field.name] = _read(hints[field.name], value[name], f"{where}{name}")
        elif field.default is MISSING:
            raise RequestMalformed(f"found no {where}{name}")
    return kind(**made)


def read_query(kind: type[T], query: Mapping[str, str], names: list[str]) -> T:
    """Return the dataclass `kind` that a query spells; numbers and words alone.

    Raises:
        RequestMalformed: As `read`, or a name stands there twice.
    """
    if len(names) != len(set(names)):
        raise RequestMalformed("found a name twice in the query, want it once")
    hints = hints_of(kind)
    spelt: JsonObject = dict(query)
    for field in fields(kind):  # type: ignore[arg-type]
        name = member_name(field.name)
        text = query.get(name)
        if text is not None and _bare(hints[field.name])[0] is int:
            # One spelling of each number: `int` would also read ` 1_0`.
            is_number = text.isascii() and text.isdecimal() and len(text) <= 15  # noqa: PLR2004 - digits that every float holds
            spelt[name] = int(text) if is_number else text
    return read(kind, spelt)


def hints_of(kind: type[Any]) -> dict[str, Any]:
    """Return the types of a dataclass's fields, with what is annotated."""
    # `Json` speaks of itself, which no module but its own can follow.
    names = {"Json": object, "Mapping": Mapping, "Sequence": Sequence}
    return get_type_hints(kind, localns=names, include_extras=True)


def _bare(hint: Any) -> tuple[Any, dict[str, Any]]:
    """Return a hint without `Annotated` and `| None`, and what was annotated."""
    limits: dict[str, Any] = {}
    while True:
        if get_origin(hint) is Annotated:
            for extra in hint.__metadata__:
                limits |= extra.words if isinstance(extra, Keywords) else {}
            hint = hint.__origin__
        elif get_origin(hint) in (Union, types.UnionType) and len(get_args(hint)) == 2:  # noqa: PLR2004 - a type and None
            hint = next(arg for arg in get_args(hint) if arg is not types.NoneType)
        else:
            return hint, limits


def _read(hint: Any, value: Json, where: str) -> Any:
    bare, limits = _bare(hint)
    if value is None and _is_optional(hint):
        return None
    if is_dataclass(bare) and isinstance(bare, type):
        return read(bare, _require(value, dict, where), f"{where}.")
    if get_origin(bare) is tuple:
        items = _require(value, list, where)
        _check_limits(len(items), limits, "Items", where)
        item = get_args(bare)[0]
        return tuple(_read(item, one, f"{where}[{i}]") for i, one in enumerate(items))
    if get_origin(bare) is dict:
        members = _require(value, dict, where)
        if get_args(bare)[1] is str:
            for name, text in members.items():
                _require(text, str, f"{where}.{name[:64]}")
        return members
    if get_origin(bare) is Literal:
        if value not in get_args(bare) or isinstance(value, bool):
            raise RequestMalformed(
                f"found {where} {str(value)[:64]!r}, want one of {get_args(bare)}"
            )
        return value
    return _read_plain(bare, limits, value, where)


def _read_plain(bare: Any, limits: dict[str, Any], value: Json, where: str) -> Any:
    plain = _require(value, bare, where)
    if isinstance(plain, str):
        _check_limits(len(plain), limits, "Length", where)
        pattern = limits.get("pattern", "")
        if pattern and not re.fullmatch(pattern, plain):
            raise RequestMalformed(f"found {where} {plain[:64]!r}, want {pattern}")
        if not plain.isprintable():
            raise RequestMalformed(f"found a control character in {where}")
    elif isinstance(plain, int) and not isinstance(plain, bool):
        low, high = limits.get("minimum", plain), limits.get("maximum", plain)
        if not low <= plain <= high:
            raise RequestMalformed(f"found {where} {plain}, want {low} to {high}")
    return plain


def _is_optional(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        hint = hint.__origin__
    return types.NoneType in get_args(hint)


def _require(value: Json, kind: Any, where: str) -> Any:
    if type(value) is not kind:
        raise RequestMalformed(
            f"found {where} of type {type(value).__name__}, want {kind.__name__}"
        )
    return value


def _check_limits(length: int, limits: dict[str, Any], what: str, where: str) -> None:
    low, high = limits.get(f"min{what}", 0), limits.get(f"max{what}", length)
    if not low <= length <= high:
        raise RequestMalformed(
            f"found {where} of {what.lower()} {length}, want {low} to {high}"
        )


# Describing


def schema_of(hint: Any, components: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of a type; dataclasses are put among the `components`."""
    bare, limits = _bare(hint)
    if is_dataclass(bare) and isinstance(bare, type):
        _add_component(bare, components)
        made: dict[str, Any] = {"$ref": f"#/components/schemas/{bare.__name__}"}
    elif get_origin(bare) is tuple:
        made = {"type": "array", "items": schema_of(get_args(bare)[0], components)}
    elif get_origin(bare) is dict:
        made = {"type": "object"}
        if get_args(bare)[1] is str:
            made["additionalProperties"] = {"type": "string"}
    elif get_origin(bare) is Literal:
        made = {"enum": list(get_args(bare))}
    elif isinstance(bare, type) and issubclass(bare, Enum):
        made = {"enum": [member.value for member in bare]}
    else:
        made = {"type": _PLAIN[bare]}
    made |= limits
    return {"anyOf": [made, {"type": "null"}]} if _is_optional(hint) else made


def member_schema(
    field: Field[Any], hint: Any, components: dict[str, Any]
) -> dict[str, Any]:
    """Return the JSON Schema of a field. One that may be left out is never null."""
    made = schema_of(hint, components)
    described: dict[str, Any] = made["anyOf"][0] if field.default is None else made
    return described


def _add_component(kind: type[Any], components: dict[str, Any]) -> None:
    if kind.__name__ in components:
        return
    components[kind.__name__] = {}  # before its members, which may name it
    hints, told = hints_of(kind), _docstrings(kind)
    properties = {}
    for field in fields(kind):
        made = member_schema(field, hints[field.name], components)
        if field.name in told:
            made = {"description": told[field.name], **made}
        properties[member_name(field.name)] = made
    components[kind.__name__] = {
        "type": "object",
        "description": " ".join((kind.__doc__ or "").split()),
        "required": [member_name(f.name) for f in fields(kind) if f.default is MISSING],
        "properties": properties,
        "additionalProperties": False,
    }


def _docstrings(kind: type[Any]) -> Mapping[str, str]:
    """Return what stands under each field of a class."""
    (found,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    told: dict[str, str] = {}
    name = ""
    for line in getattr(found, "body", ()):
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            name = line.target.id
            continue
        is_text = isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)
        if name and is_text:
            told[name] = " ".join(str(line.value.value).split())
        name = ""
    return told
