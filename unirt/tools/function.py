"""
The tool that carries what runs it.

``unirt.tool`` makes one of a function, a method, a partial application or an object that can be
called; ``connect(tools=[...])`` does so by itself where nothing is to be said about the tool.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, overload

import attrs

from unirt.config import ProviderTool, Scheduling, Tool
from unirt.errors import ConfigurationError
from unirt.tools.context import Approve, ToolContext
from unirt.tools.inputs import (
    Arguments,
    Inputs,
    inputs_of,
    is_model,
    model_description,
    model_inputs,
    schema_of,
)
from unirt.tools.source import ToolSource

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["TIMEOUT_S", "AnyTool", "FunctionTool", "is_async", "tool", "tools_of"]

TIMEOUT_S = 30.0
"How long a tool may take, unless it says otherwise, in seconds."

AnyTool = Tool | ProviderTool | ToolSource | Callable[..., Any]
"What may be given where tools are given; a pydantic model is a callable, too."

_NAME = re.compile(r"[A-Za-z_][\w-]{0,63}", re.ASCII)
"What every provider takes as a name."


@attrs.frozen(kw_only=True)
class FunctionTool(Tool):
    """
    A tool that a session runs by itself. Made by :func:`tool`.

    It can still be called as the function that it was made of.
    """

    function: Callable[..., Any] = attrs.field(repr=False)
    read: Callable[[str], Arguments] = attrs.field(repr=False, eq=False)
    "Turns the JSON text of a call into the function's arguments."
    context: str | None = None
    "The parameter that is given the :class:`ToolContext`."
    timeout: float | None = TIMEOUT_S
    "How long it may take, in seconds; ``None`` for as long as it likes."
    approve: Approve | bool | None = attrs.field(default=None, repr=False)
    "Who is asked before it runs: a function, or with ``True`` the ``approve`` of ``connect()``."
    source: ToolSource | None = attrs.field(default=None, repr=False, eq=False)
    "Where it comes from, where it may change."

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __get__(self, instance: object, owner: type | None = None) -> FunctionTool:
        """A tool that was made of a method is, on an object, the tool of that object's method."""
        bind = getattr(self.function, "__get__", None)
        if instance is None or bind is None:
            return self
        return attrs.evolve(self, function=bind(instance, owner))

    @property
    def waits(self) -> bool:
        """Whether the function is asynchronous; one that is not runs in a thread."""
        return is_async(self.function)

    def bound(self, arguments: Arguments, context: ToolContext) -> Callable[[], Any]:
        """The call, ready to be made."""
        positional, named = arguments
        if self.context is not None:
            named = {**named, self.context: context}
        return functools.partial(self.function, *positional, **named)


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling it gives something to be awaited, as far as can be told without doing so."""
    while isinstance(function, functools.partial):
        function = function.func
    called = getattr(function, "__call__", None)  # noqa: B004  (it is looked at, not called)
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)


@overload
def tool(
    function: type[BaseModel],
    *,
    name: str | None = ...,
    description: str | None = ...,
    blocking: bool | None = ...,
    scheduling: Scheduling | str | None = ...,
) -> Tool: ...
@overload
def tool(
    function: Callable[..., Any],
    *,
    model: type[BaseModel] | None = ...,
    name: str | None = ...,
    description: str | None = ...,
    parameters: Mapping[str, Any] | None = ...,
    timeout: float | None = ...,
    blocking: bool | None = ...,
    scheduling: Scheduling | str | None = ...,
    approve: Approve | bool | None = ...,
) -> FunctionTool: ...
@overload
def tool(
    function: None = ...,
    *,
    model: type[BaseModel] | None = ...,
    name: str | None = ...,
    description: str | None = ...,
    parameters: Mapping[str, Any] | None = ...,
    timeout: float | None = ...,
    blocking: bool | None = ...,
    scheduling: Scheduling | str | None = ...,
    approve: Approve | bool | None = ...,
) -> Callable[[Callable[..., Any]], FunctionTool]: ...
def tool(
    function: Any = None,
    *,
    model: type[BaseModel] | None = None,
    name: str | None = None,
    description: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    timeout: float | None = TIMEOUT_S,
    blocking: bool | None = None,
    scheduling: Scheduling | str | None = None,
    approve: Approve | bool | None = None,
) -> Any:
    """
    Make a tool of a function: ``@unirt.tool``, ``@unirt.tool(timeout=5)`` or ``unirt.tool(f)``.

    The model is told the function's name, what its docstring says of it and of its parameters, and
    their types. What the model calls it with is checked against them.

    Args:
        function: A function, plain or asynchronous, a method, a ``functools.partial``, or an object
            that can be called. A plain function runs in a thread. A pydantic model becomes a
            :class:`~unirt.Tool` without a function, whose calls the application answers.
        model: A pydantic model; the function is called with an instance of it.
        name: Instead of the function's own.
        description: Instead of what the docstring says.
        parameters: Another JSON schema for the model; the arguments are checked all the same.
        timeout: How long it may take, in seconds; ``None`` for as long as it likes.
        blocking: Whether the model waits for the result before it goes on, where it can be told.
        scheduling: What the result may do to the conversation; see :class:`~unirt.Scheduling`.
        approve: Who is asked before each call; see :data:`unirt.tools.context.Approve`.

    Raises:
        ConfigurationError: No tool can be made of it.
    """
    if function is None:
        return functools.partial(
            tool,
            model=model,
            name=name,
            description=description,
            parameters=parameters,
            timeout=timeout,
            blocking=blocking,
            scheduling=scheduling,
            approve=approve,
        )
    chosen = _scheduling(scheduling)
    if is_model(function):
        return Tool(
            name=_named(name or function.__name__),
            description=description or model_description(function),
            parameters=schema_of(function),
            blocking=blocking,
            scheduling=chosen,
        )
    called = _named(name or _name_of(function))
    inputs: Inputs = (
        inputs_of(function, called) if model is None else model_inputs(model, function, called)
    )
    if timeout is not None and not timeout > 0:
        raise ConfigurationError(
            f"{timeout!r} is no time",
            where=f"the tool {called}, timeout",
            remedy="give seconds, or None for as long as it likes",
        )
    return FunctionTool(
        name=called,
        description=description or inputs.description,
        parameters=inputs.parameters if parameters is None else parameters,
        blocking=blocking,
        scheduling=chosen,
        function=function,
        read=inputs.read,
        context=inputs.context,
        timeout=timeout,
        approve=approve,
    )


def tools_of(given: Iterable[Any], where: str = "tools") -> tuple[Tool | ProviderTool, ...]:
    """
    The tools that are meant by what an application gives: functions, models and sources too.

    Raises:
        ConfigurationError: Something of it is no tool, or two of them have one name.
    """
    found: list[Tool | ProviderTool] = []
    for entry in given:
        if isinstance(entry, Tool | ProviderTool):
            found.append(entry)
        elif isinstance(entry, ToolSource):
            found += entry.tools
        elif callable(entry):
            found.append(tool(entry))
        else:
            raise ConfigurationError(
                f"{entry!r} cannot be used",
                where=where,
                remedy="give functions, and Tool and ProviderTool values",
            )
    names = [entry.name for entry in found if isinstance(entry, Tool)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigurationError(
            f"there are several tools named {twice[0]!r}",
            where=where,
            remedy="give each a name of its own, with unirt.tool(..., name=)",
        )
    return tuple(found)


def _scheduling(given: Scheduling | str | None) -> Scheduling | None:
    try:
        return None if given is None else Scheduling(given)
    except ValueError:
        raise ConfigurationError(
            f"{given!r} cannot be used",
            where="scheduling",
            remedy=f"give one of {', '.join(Scheduling)}",
        ) from None


def _name_of(function: Any) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    if not callable(function):
        raise ConfigurationError(
            f"{function!r} cannot be called", where="unirt.tool", remedy="give a function"
        )
    return getattr(function, "__name__", type(function).__name__)


def _named(name: str) -> str:
    if _NAME.fullmatch(name):
        return name
    raise ConfigurationError(
        f"{name!r} is no name that a model could call",
        where="unirt.tool",
        remedy="give a name= of letters, digits, _ and -, at most 64 of them",
    )
