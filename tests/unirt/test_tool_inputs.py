"""What functions become for a model, and what a model's arguments become for functions."""

from __future__ import annotations

import functools
from datetime import date
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

import unirt
from unirt.config import Tool
from unirt.tools.docstring import read_docstring
from unirt.tools.function import is_async, tools_of
from unirt.tools.inputs import InvalidArguments


def get_weather(
    city: str, days: Annotated[int, Field(ge=1, le=7)] = 1, unit: Literal["c", "f"] = "c"
) -> str:
    """
    Tell the weather.

    It is a forecast.

    Args:
        city: Where, by name.
        days: How far ahead,
            in days.

    Returns:
        A sentence.
    """
    return f"{city} {days} {unit}"


async def book(day: date, guests: list[str] | None = None) -> str:
    return f"{day.year} {guests}"


def test_a_function_is_told_by_its_name_docstring_and_types() -> None:
    made = unirt.tool(get_weather)

    assert (made.name, made.description) == (
        "get_weather",
        "Tell the weather.\n\nIt is a forecast.",
    )
    assert made.parameters == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "city": {"type": "string", "description": "Where, by name."},
            "days": {
                "type": "integer",
                "minimum": 1,
                "maximum": 7,
                "default": 1,
                "description": "How far ahead, in days.",
            },
            "unit": {"type": "string", "enum": ["c", "f"], "default": "c"},
        },
        "required": ["city"],
    }
    assert made("Lagos") == "Lagos 1 c"
    assert not made.waits


def context() -> unirt.ToolContext:
    async def report(output: Any) -> bool:
        return False

    return unirt.ToolContext(
        session=None, name="", call_id="c", turn_id=None, response_id=None, report=report
    )


def called(made: unirt.FunctionTool, arguments: str) -> Any:
    return made.bound(made.read(arguments), context())()


def test_arguments_become_what_the_types_say() -> None:
    made = unirt.tool(lambda: None, name="nothing")
    assert called(made, "") is None

    def add(first: int, /, day: date, *, name: str = "x") -> tuple[Any, ...]:
        return first, day, name

    assert called(unirt.tool(add), '{"first": 1, "day": "2026-11-26"}') == (
        1,
        date(2026, 11, 26),
        "x",
    )


def test_parameters_may_be_called_what_pydantic_has_already() -> None:
    def pick(schema: str, json: int, copy: bool, model_config: str, _private: str = "p") -> Any:
        return schema, json, copy, model_config, _private

    made = unirt.tool(pick)
    assert set((made.parameters or {})["properties"]) == {
        "schema",
        "json",
        "copy",
        "model_config",
        "_private",
    }
    text = '{"schema": "s", "json": 2, "copy": true, "model_config": "m"}'
    assert called(made, text) == ("s", 2, True, "m", "p")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("{}", "city: Field required"),
        ('{"city": "L", "days": "soon"}', 'days: Input should be a valid integer.*got "soon"'),
        ('{"city": "L", "days": 9}', "days: Input should be less than or equal to 7, got 9"),
        ('{"city": "L", "cty": "L"}', "cty: Extra inputs are not permitted"),
        ('{"city": "L", "unit": "k"}', "unit: Input should be 'c' or 'f', got \"k\""),
        ('{"city"', "Invalid JSON"),
        ("[1]", "Input should be an object"),
    ],
)
def test_what_is_wrong_with_arguments_is_told_by_field(arguments: str, told: str) -> None:
    with pytest.raises(InvalidArguments, match=told) as raised:
        unirt.tool(get_weather).read(arguments)
    assert "https://" not in str(raised.value)


def test_many_errors_are_told_in_part() -> None:
    unknown = ", ".join(f'"x{n}": 1' for n in range(20))
    with pytest.raises(InvalidArguments, match="and 13 more"):
        unirt.tool(get_weather).read(f"{{{unknown}}}")


class Desk:
    def __init__(self, name: str) -> None:
        self.name = name

    def ask(self, what: str) -> str:
        """Ask the desk."""
        return f"{self.name}: {what}"

    @unirt.tool(timeout=5)
    async def tell(self, what: str) -> str:
        """Tell the desk."""
        return f"{self.name} knows {what}"

    def __call__(self, what: str) -> str:
        """Call the desk."""
        return what


async def test_methods_partials_and_objects_that_can_be_called_are_tools() -> None:
    desk = Desk("front")
    ask, tell, call = tools_of([desk.ask, desk.tell, desk])

    assert isinstance(ask, unirt.FunctionTool)
    assert isinstance(tell, unirt.FunctionTool)
    assert isinstance(call, unirt.FunctionTool)
    assert [(t.name, t.description) for t in (ask, tell, call)] == [
        ("ask", "Ask the desk."),
        ("tell", "Tell the desk."),
        ("Desk", "Call the desk."),
    ]
    assert called(ask, '{"what": "when"}') == "front: when"
    assert await called(tell, '{"what": "it"}') == "front knows it"
    assert called(call, '{"what": "it"}') == "it"
    assert tell.waits
    assert tell.timeout == 5
    assert list((tell.parameters or {})["properties"]) == ["what"]

    fixed = unirt.tool(functools.partial(get_weather, "Lagos", unit="f"))
    assert list((fixed.parameters or {})["properties"]) == ["days"]
    assert called(fixed, '{"days": 2}') == "Lagos 2 f"
    assert is_async(functools.partial(book, date(2026, 1, 1)))


class Booking(BaseModel):
    """A table."""

    seats: int = Field(description="How many.")


def test_a_handler_is_given_an_instance_of_a_model() -> None:
    @unirt.tool(model=Booking, name="book_table")
    def handle(booking: Booking, info: unirt.ToolContext) -> str:
        return f"{type(booking).__name__} {booking.seats} {info.call_id}"

    assert (handle.name, handle.description) == ("book_table", "A table.")
    assert handle.parameters == {
        "type": "object",
        "properties": {"seats": {"type": "integer", "description": "How many."}},
        "required": ["seats"],
    }
    assert called(handle, '{"seats": 2}') == "Booking 2 c"
    with pytest.raises(InvalidArguments, match="seats: Field required"):
        handle.read("{}")
    with pytest.raises(unirt.ConfigurationError, match="takes 2 arguments"):
        unirt.tool(lambda a, b: None, model=Booking, name="two")


def test_a_model_without_a_handler_is_a_tool_that_the_application_answers() -> None:
    (made,) = tools_of([Booking])

    assert type(made) is Tool
    assert (made.name, made.description) == ("Booking", "A table.")


def test_nested_models_are_described_and_built() -> None:
    def seat(booking: Booking, others: list[Booking]) -> int:
        return booking.seats + sum(other.seats for other in others)

    made = unirt.tool(seat)
    assert "$defs" in (made.parameters or {})
    assert called(made, '{"booking": {"seats": 2}, "others": [{"seats": 3}]}') == 5


def test_the_context_is_no_parameter_of_the_models() -> None:
    def ask(info: unirt.ToolContext, what: str) -> str:
        return f"{what} {info.call_id}"

    made = unirt.tool(ask)
    assert list((made.parameters or {})["properties"]) == ["what"]
    assert called(made, '{"what": "it"}') == "it c"


def test_a_description_in_the_annotation_wins_over_the_docstring() -> None:
    def ask(what: Annotated[str, Field(description="From the type.")]) -> None:
        """
        Ask.

        Args:
            what: From the docstring.
        """

    properties = (unirt.tool(ask).parameters or {})["properties"]
    assert properties["what"]["description"] == "From the type."


def untyped(city) -> str:  # type: ignore[no-untyped-def]  # the case
    return str(city)


def endless(*cities: str) -> None: ...


def of_nothing(city: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821  (the case)


def of_a_desk(desk: Desk) -> None: ...


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (untyped, "'city' has no type .*untyped.*: annotate it"),
        (endless, "has no end .*endless"),
        (of_nothing, "'Nowhere' is not defined"),
        (of_a_desk, "no schema can be made of it"),
    ],
)
def test_what_no_model_could_call_is_refused(function: Any, message: str) -> None:
    with pytest.raises(unirt.ConfigurationError, match=message):
        unirt.tool(function)


def test_names_that_cannot_be_called_are_refused() -> None:
    with pytest.raises(unirt.ConfigurationError, match="<lambda>"):
        unirt.tool(lambda: None)
    with pytest.raises(unirt.ConfigurationError, match="several tools named 'get_weather'"):
        tools_of([get_weather, unirt.Tool(name="get_weather")])
    with pytest.raises(unirt.ConfigurationError, match="cannot be called"):
        unirt.tool(3)  # type: ignore[call-overload]  # the case
    with pytest.raises(unirt.ConfigurationError, match="cannot be used"):
        tools_of([3])
    with pytest.raises(unirt.ConfigurationError, match="is no time"):
        unirt.tool(get_weather, timeout=0)
    with pytest.raises(unirt.ConfigurationError, match="give one of interrupt"):
        unirt.tool(get_weather, scheduling="now")


@pytest.mark.parametrize(
    "text",
    [
        "Do it.\n\nArgs:\n    what (str): The thing,\n        whole.\n    when: The time.\n\n"
        "Raises:\n    X: y.",
        "Do it.\n\n:param str what: The thing,\n    whole.\n:param when: The time.\n:returns: x\n",
        "Do it.\n\nParameters\n----------\nwhat : str\n    The thing,\n    whole.\nwhen\n    "
        "The time.\n\nReturns\n-------\nstr\n    x",
    ],
    ids=["indented", "fields", "underlined"],
)
def test_three_customs_of_docstrings_say_the_same(text: str) -> None:
    assert read_docstring(text) == ("Do it.", {"what": "The thing, whole.", "when": "The time."})


def test_a_docstring_may_say_nothing() -> None:
    assert read_docstring(None) == (None, {})
    assert read_docstring("Note: it is slow.") == ("Note: it is slow.", {})
