"""
JSON schemas as Gemini takes them.

A function's ``parameters`` are a ``Schema`` message, a cut of OpenAPI 3.0: types in upper case, no
references, ``nullable`` in place of a list of types (https://ai.google.dev/api/caching#Schema,
``google.genai.types.Schema`` 3.4.0, 2026-11). The newer ``parametersJsonSchema`` takes any JSON
schema, but the live models were seen to ignore it and guess the argument names, so it is not used.

A keyword with no counterpart is either dropped, because nothing is lost (:data:`_MEANINGLESS`), or
refused by its path, because the model would be told less than the application meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unirt.errors import UnsupportedSetting

__all__ = ["openapi_schema"]

_AS_IT_IS = {
    "description",
    "title",
    "format",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "required",
    "nullable",
    "default",
    "example",
    "propertyOrdering",
}
"The fields of ``Schema`` that mean in JSON schema what they mean here."

_MEANINGLESS = {
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "definitions",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "strict",
    "discriminator",
}
"""
Annotations; a discriminator only names the property whose constants tell the choices apart.
``additionalProperties`` joins them where it is a boolean: the model does not produce
arguments that were not declared.
"""

_DEPTH = 32
"How deep schemas may nest; a schema that refers to itself has no end, and no form here."


def openapi_schema(
    schema: Mapping[str, Any], *, where: str, provider: str = "google"
) -> dict[str, Any]:
    """
    Turn a JSON schema into Gemini's ``Schema``.

    Args:
        schema: A JSON schema of type ``object``.
        where: What the schema belongs to, for messages.
        provider: The name that messages give.

    Raises:
        UnsupportedSetting: It says something that has no counterpart.
    """
    return _Conversion(schema, provider).convert(schema, where, 0)


class _Conversion:
    """One schema's conversion: its root, for references, and the name for messages."""

    def __init__(self, root: Mapping[str, Any], provider: str) -> None:
        self._root = root
        self._provider = provider

    def convert(self, schema: Any, path: str, depth: int) -> dict[str, Any]:
        if not isinstance(schema, Mapping):
            raise self._refused(path, f"{schema!r} is not a schema")
        if depth > _DEPTH:
            raise self._refused(path, "it nests without end, or too deep")
        schema = self._resolved(schema, path)
        written: dict[str, Any] = {}
        for key in sorted(schema, key=lambda key: key != "type"):
            value = schema[key]
            here = f"{path}.{key}"
            if key in _AS_IT_IS:
                written[key] = value
            elif key not in _MEANINGLESS:
                self._special(written, key, value, here, depth)
        return written

    def _special(
        self, written: dict[str, Any], key: str, value: Any, path: str, depth: int
    ) -> None:
        """The keywords that are written differently."""
        match key, value:
            case "type", _:
                self._type(written, value, path)
            case "properties", Mapping():
                written["properties"] = {
                    name: self.convert(inner, f"{path}.{name}", depth + 1)
                    for name, inner in value.items()
                }
            case "items", Mapping():
                written["items"] = self.convert(value, path, depth + 1)
            case (("anyOf" | "oneOf"), list()):
                self._any_of(written, value, path, depth)
            case "allOf", [only]:
                written.update(self.convert(only, path, depth + 1))
            case "enum", list():
                self._enum(written, value, path)
            case "additionalProperties", bool():
                pass
            case "const", _:
                self._enum(written, [value], path)
            case "exclusiveMinimum", int() if written.get("type") == "INTEGER":
                written["minimum"] = value + 1
            case "exclusiveMaximum", int() if written.get("type") == "INTEGER":
                written["maximum"] = value - 1
            case _:
                raise self._refused(path, "Gemini's schemas have no such keyword")

    def _type(self, written: dict[str, Any], value: Any, path: str) -> None:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise self._refused(path, f"{value!r} is not a type")
        real = [name.upper() for name in names if name.lower() != "null"]
        if len(real) < len(names):
            written["nullable"] = True
        if len(real) == 1:
            written["type"] = real[0]
        elif real:
            written["anyOf"] = [{"type": name} for name in real]
        else:
            written["type"] = "NULL"

    def _any_of(self, written: dict[str, Any], choices: list[Any], path: str, depth: int) -> None:
        real = [choice for choice in choices if choice != {"type": "null"}]
        if len(real) < len(choices):
            written["nullable"] = True
        if len(real) == 1:
            inner = self.convert(real[0], f"{path}[0]", depth + 1)
            for key, value in inner.items():
                written.setdefault(key, value)
            return
        written["anyOf"] = [
            self.convert(choice, f"{path}[{i}]", depth + 1) for i, choice in enumerate(real)
        ]

    def _enum(self, written: dict[str, Any], values: list[Any], path: str) -> None:
        """Gemini's enumerations hold strings only; ``null`` in one means nullable."""
        if None in values:
            written["nullable"] = True
        real = [value for value in values if value is not None]
        if not all(isinstance(value, str) for value in real):
            raise self._refused(path, "Gemini's enumerations hold strings only")
        written["enum"] = real
        written.setdefault("type", "STRING")

    def _resolved(self, schema: Mapping[str, Any], path: str) -> Mapping[str, Any]:
        """The schema with its reference followed; what stands beside the reference wins."""
        for _ in range(_DEPTH):
            reference = schema.get("$ref")
            if reference is None:
                return schema
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**self._target(reference, path), **beside}
        raise self._refused(path, "its references lead in a circle")

    def _target(self, reference: Any, path: str) -> Mapping[str, Any]:
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise self._refused(path, f"the reference {reference!r} leads out of the schema")
        target: Any = self._root
        for step in reference[1:].strip("/").split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            if name:
                target = target.get(name) if isinstance(target, Mapping) else None
        if not isinstance(target, Mapping):
            raise self._refused(path, f"the reference {reference!r} leads nowhere")
        return target

    def _refused(self, path: str, why: str) -> UnsupportedSetting:
        return UnsupportedSetting(
            path, provider=self._provider, why=why, remedy="rewrite the schema without it"
        )
