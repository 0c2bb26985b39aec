"""Queries as structs, with refusals that name the parameter: the form of the routes for readers.

`asked.query_as` is the same in short. Here a mistake has a code of its own, `invalid_` and the name, and a parameter
that is sent empty counts as one that is not sent.
"""

import re
from typing import Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec.inspect import BoolType, Field, IntType, LiteralType, Metadata, StructType, Type, UnionType

from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Request
from visitor_tracker.web.asked import fields_of

_PLACE = re.compile(r" - at `\$\.(\w+)`")
_UNKNOWN = re.compile(r"unknown field `(.*)`", re.DOTALL)
_MISSING = re.compile(r"missing required field `(\w+)`")
_whole = re.compile(r"-?(0|[1-9][0-9]{0,17})").fullmatch
_SHOWN = 40  # characters of what was sent

Q = TypeVar("Q", bound=msgspec.Struct)


def question_of(request: Request, kind: type[Q], *, keep_empty: bool = False) -> Q:
    """Return the query as that struct; raises HttpError 400 `invalid_NAME` or `unknown_parameter`."""
    fields = {name: text for name, text in fields_of(request).items() if text or keep_empty}
    numbers = {field.encode_name for field in _fields(kind) if isinstance(_bare(field.type), IntType)}
    for name in numbers & fields.keys():
        if not _whole(fields[name]):  # msgspec takes 1e1 and 1.0
            raise _invalid(kind, name, fields[name])
    try:
        return msgspec.convert(fields, kind, strict=False)
    except msgspec.ValidationError as error:
        if missing := _MISSING.search(str(error)):
            name = missing[1]
            raise HttpError(400, f"invalid_{name}", f"{name} is missing", f"add {name}= to the query") from error
        if unknown := _UNKNOWN.search(str(error)):
            raise _unknown(kind, unknown[1]) from error
        place = _PLACE.search(str(error))
        name = place[1] if place else ""
        raise _invalid(kind, name, fields.get(name, "")) from error


def refuse_unknown(request: Request, kind: type[msgspec.Struct]) -> None:
    """Refuse parameters that nobody reads, where the struct itself lets them pass; raises HttpError 400."""
    known = set(kind.__struct_encode_fields__)
    if unknown := sorted(set(fields_of(request)) - known):
        raise _unknown(kind, unknown[0])


def _fields(kind: type[msgspec.Struct]) -> tuple[Field, ...]:
    found = msgspec.inspect.type_info(kind)
    return found.fields if isinstance(found, StructType) else ()


def _unknown(kind: type[msgspec.Struct], name: str) -> HttpError:
    known = ", ".join(kind.__struct_encode_fields__)
    return HttpError(400, "unknown_parameter", f"there is no parameter {name[:_SHOWN]!r}", f"use {known}")


def _invalid(kind: type[msgspec.Struct], name: str, text: str) -> HttpError:
    allowed = next((_allowed(kind, field) for field in _fields(kind) if field.encode_name == name), "")
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return HttpError(400, f"invalid_{name}", f"{name} cannot be {shown!r}: use {allowed}", f"use {name}= {allowed}")


def _bare(found: Type) -> Type:
    """Return a type without its description, and without what stands for a missing value."""
    while isinstance(found, Metadata):
        found = found.type
    if isinstance(found, UnionType):
        rest = [each for each in found.types if type(each).__name__ not in ("NoneType", "UnsetType")]
        return _bare(rest[0]) if len(rest) == 1 else found
    return found


def _allowed(kind: type[msgspec.Struct], field: Field) -> str:
    """Say what a parameter may be."""
    bare = _bare(field.type)
    if isinstance(bare, LiteralType):
        return ", ".join(map(str, _values(get_type_hints(kind, include_extras=True)[field.name])))
    if isinstance(bare, IntType):
        least, most = bare.ge, bare.le
        return f"a whole number from {least} to {most}" if most is not None else "a whole number"
    if isinstance(bare, BoolType):
        return "true or false"
    longest = getattr(bare, "max_length", None)
    return f"at most {longest} characters" if longest else "what GET /openapi.json says"


def _values(hint: object) -> tuple[object, ...]:
    """Return the values of the Literal in a type, in their own order, which msgspec does not keep."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    return next((found for inner in get_args(hint) if (found := _values(inner))), ())
