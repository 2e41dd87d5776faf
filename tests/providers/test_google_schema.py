"""JSON schemas as Gemini takes them."""

from typing import Any

import pytest
from google.genai.types import Schema

from unirt import UnsupportedSetting
from unirt_google.schema import openapi_schema

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def converted(schema: dict[str, Any]) -> dict[str, Any]:
    written = openapi_schema(schema, where="tools.f")
    Schema.model_validate(written)
    return written


def property_of(schema: dict[str, Any], **beside: Any) -> dict[str, Any]:
    whole = {"type": "object", "properties": {"a": schema}, **beside}
    inner: dict[str, Any] = converted(whole)["properties"]["a"]
    return inner


def test_types_are_in_upper_case() -> None:
    assert converted(CITY) == {
        "type": "OBJECT",
        "properties": {"city": {"type": "STRING"}},
        "required": ["city"],
    }


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer", "minimum": 1}, {"type": "INTEGER", "minimum": 1}),
        ({"type": "integer", "exclusiveMinimum": 1}, {"type": "INTEGER", "minimum": 2}),
        ({"exclusiveMaximum": 9, "type": "integer"}, {"type": "INTEGER", "maximum": 8}),
        ({"type": ["string", "null"]}, {"type": "STRING", "nullable": True}),
        ({"type": "null"}, {"type": "NULL", "nullable": True}),
        (
            {"type": ["string", "integer"]},
            {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]},
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "d"},
            {"type": "STRING", "nullable": True, "description": "d"},
        ),
        (
            {"oneOf": [{"type": "string"}, {"type": "integer"}]},
            {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]},
        ),
        ({"allOf": [{"type": "string"}]}, {"type": "STRING"}),
        ({"enum": ["a", "b", None]}, {"enum": ["a", "b"], "type": "STRING", "nullable": True}),
        ({"const": "a"}, {"enum": ["a"], "type": "STRING"}),
        (
            {"type": "array", "items": {"type": "number"}, "maxItems": 3},
            {"type": "ARRAY", "items": {"type": "NUMBER"}, "maxItems": 3},
        ),
        (
            {"type": "object", "additionalProperties": False, "$comment": "x", "title": "T"},
            {"type": "OBJECT", "title": "T"},
        ),
        ({}, {}),
    ],
)
def test_a_keyword_is_written_in_gemini_s_way(
    schema: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert property_of(schema) == expected


def test_references_are_inlined_and_what_stands_beside_them_wins() -> None:
    definitions = {"a/b": {"type": "string", "description": "old"}}
    reference = {"$ref": "#/$defs/a~1b", "description": "new"}
    assert property_of(reference, **{"$defs": definitions}) == {
        "type": "STRING",
        "description": "new",
    }


@pytest.mark.parametrize(
    ("schema", "where"),
    [
        ({"type": "array", "uniqueItems": True}, "tools.f.properties.a.uniqueItems"),
        ({"type": "string", "not": {"const": "x"}}, "tools.f.properties.a.not"),
        ({"type": "number", "exclusiveMinimum": 0}, "tools.f.properties.a.exclusiveMinimum"),
        ({"enum": [1, 2]}, "tools.f.properties.a.enum"),
        ({"type": 5}, "tools.f.properties.a.type"),
        (
            {"type": "object", "additionalProperties": {"type": "string"}},
            "tools.f.properties.a.additionalProperties",
        ),
        ({"$ref": "#/$defs/none"}, "tools.f.properties.a"),
        ({"$ref": "https://example.org/schema"}, "tools.f.properties.a"),
        ({"$ref": "#/properties/a"}, "tools.f.properties.a"),
        ({"type": "array", "items": {"$ref": "#"}}, "tools.f"),
        (True, "tools.f.properties.a"),
    ],
)
def test_what_has_no_counterpart_is_refused_by_its_path(schema: Any, where: str) -> None:
    with pytest.raises(UnsupportedSetting) as caught:
        property_of(schema)
    assert where in caught.value.setting


def test_a_discriminator_says_nothing_that_the_choices_do_not() -> None:
    choices = [
        {"type": "object", "properties": {"kind": {"const": kind}}} for kind in ("cat", "dog")
    ]
    schema = {"anyOf": choices, "discriminator": {"propertyName": "kind"}}
    written = openapi_schema(schema, where="tools.f")
    assert [choice["properties"]["kind"]["enum"] for choice in written["anyOf"]] == [
        ["cat"],
        ["dog"],
    ]
