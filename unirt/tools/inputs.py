"""
What a function takes: its JSON schema for the model, and its arguments from what the model wrote.

Both come from one pydantic model, made of the function's signature, so what the model is told and
what is checked cannot differ. Parameters are named by aliases in it, because a parameter may be
called what a pydantic model has already, such as ``schema``.
"""

from __future__ import annotations

import functools
import inspect
import json
import typing
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import attrs

from unirt.errors import ConfigurationError
from unirt.tools.context import ToolContext
from unirt.tools.docstring import read_docstring

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["Inputs", "InvalidArguments", "inputs_of", "is_model", "model_inputs", "schema_of"]

_SHOWN = 8
"Errors that one message tells of."

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
"Positional and keyword arguments."


class InvalidArguments(Exception):
    """The arguments that a model wrote are not what the tool takes; the message is for it."""


@attrs.frozen(kw_only=True)
class Inputs:
    """What one function takes."""

    description: str | None
    parameters: Mapping[str, Any]
    "The JSON schema."
    context: str | None
    "The parameter that is given the :class:`ToolContext`."
    read: Callable[[str], Arguments]
    "Turns JSON text into the function's arguments, or raises :class:`InvalidArguments`."


def is_model(thing: object) -> bool:
    """Whether it is a pydantic model, told without importing pydantic."""
    return isinstance(thing, type) and hasattr(thing, "__pydantic_validator__")


def inputs_of(function: Callable[..., Any], where: str) -> Inputs:
    """
    Read a function's signature.

    Raises:
        ConfigurationError: It has a parameter that no model could fill.
    """
    import pydantic

    about, described = read_docstring(_bare(function).__doc__)
    fields: dict[str, Any] = {}
    places: dict[str, tuple[str, bool]] = {}
    context = None
    for parameter, annotation in _parameters(function, where):
        name = parameter.name
        if annotation is ToolContext:
            context = name
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise _wrong(where, f"{parameter} has no end", "name the parameters one by one")
        if annotation is parameter.empty:
            raise _wrong(where, f"the parameter {name!r} has no type", "annotate it")
        field = f"p{len(places)}"
        places[field] = name, parameter.kind is parameter.POSITIONAL_ONLY
        default = ... if parameter.default is parameter.empty else parameter.default
        named = pydantic.Field(alias=name)
        if name in described and not _told(annotation, default):
            named = pydantic.Field(alias=name, description=described[name])
        fields[field] = Annotated[annotation, named], default
    try:
        model = pydantic.create_model(
            "Arguments", __config__=pydantic.ConfigDict(extra="forbid"), **fields
        )
        parameters = schema_of(model)
    except (pydantic.PydanticUserError, TypeError) as exc:
        why = str(exc).splitlines()[0]
        raise _wrong(where, f"no schema can be made of it: {why}", "use other types") from exc

    def read(text: str) -> Arguments:
        found = _validated(model, text)
        values = {field: getattr(found, field) for field in places}
        positional = tuple(values[field] for field, (_, only) in places.items() if only)
        named = {name: values[field] for field, (name, only) in places.items() if not only}
        return positional, named

    return Inputs(description=about, parameters=parameters, context=context, read=read)


def model_inputs(model: type[BaseModel], function: Callable[..., Any], where: str) -> Inputs:
    """
    What a function takes whose one argument is an instance of a pydantic model.

    Raises:
        ConfigurationError: It takes anything beside that and a context.
    """
    names, context = [], None
    for parameter, annotation in _parameters(function, where):
        if annotation is ToolContext:
            context = parameter.name
        elif parameter.default is parameter.empty:
            names.append(parameter.name)
    if len(names) != 1:
        raise _wrong(
            where,
            f"it is called with a {model.__name__} and takes {len(names)} arguments",
            "give it one parameter, and maybe a ToolContext",
        )
    about = read_docstring(_bare(function).__doc__)[0] or model_description(model)
    return Inputs(
        description=about,
        parameters=schema_of(model),
        context=context,
        read=lambda text: ((_validated(model, text),), {}),
    )


def model_description(model: type[BaseModel]) -> str | None:
    """What a pydantic model's own docstring says."""
    return read_docstring(model.__dict__.get("__doc__"))[0]


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a pydantic model, without the titles that only repeat its names."""
    from pydantic.json_schema import GenerateJsonSchema

    class Untitled(GenerateJsonSchema):
        def field_title_should_be_set(self, schema: Any) -> bool:
            return False

    schema = model.model_json_schema(schema_generator=Untitled)
    for part in (schema, *schema.get("$defs", {}).values()):
        part.pop("title", None)
    schema.pop("description", None)
    return schema


def _validated(model: type[BaseModel], text: str) -> BaseModel:
    import pydantic

    try:
        return model.model_validate_json(text.strip() or "{}")
    except pydantic.ValidationError as exc:
        errors = exc.errors(include_url=False, include_context=False)
        told = [_line(error) for error in errors[:_SHOWN]]
        if len(errors) > _SHOWN:
            told.append(f"and {len(errors) - _SHOWN} more")
        raise InvalidArguments(f"invalid arguments: {'; '.join(told)}") from exc


def _line(error: Mapping[str, Any]) -> str:
    """Which field, what was expected, and what was found."""
    place = ".".join(map(str, error["loc"]))
    told = f"{place}: {error['msg']}" if place else str(error["msg"])
    found = error.get("input")
    if error["type"] != "missing" and isinstance(found, str | int | float | bool | None):
        told += f", got {json.dumps(found)[:80]}"
    return told


def _told(annotation: Any, default: Any) -> bool:
    """Whether the annotation, or the default, describes the parameter itself."""
    given = [*getattr(annotation, "__metadata__", ()), default]
    return any(getattr(thing, "description", None) for thing in given)


def _parameters(function: Callable[..., Any], where: str) -> list[tuple[inspect.Parameter, Any]]:
    """The parameters that a call has to fill, and their types."""
    bare = _bare(function)
    try:
        signature = inspect.signature(function)
        hints = typing.get_type_hints(bare, include_extras=True)
    except (NameError, TypeError, ValueError) as exc:
        raise _wrong(
            where, f"its types cannot be read: {exc}", "import what its annotations name"
        ) from exc
    bound = _bound(function)
    found = [p for p in signature.parameters.values() if p.name not in bound]
    if found and found[0].name in ("self", "cls") and found[0].name not in hints:
        found = found[1:]  # a method that is a tool before there is an object
    return [(parameter, hints.get(parameter.name, parameter.annotation)) for parameter in found]


def _bare(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function behind partial applications, methods and objects that can be called."""
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.isroutine(function) or isinstance(function, type):
        return function
    return type(function).__call__


def _bound(function: Callable[..., Any]) -> set[str]:
    """The parameters that partial applications fill by name."""
    bound: set[str] = set()
    while isinstance(function, functools.partial):
        bound.update(function.keywords)
        function = function.func
    return bound


def _wrong(where: str, what: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(what, where=f"the tool {where}", remedy=remedy)
