"""Calls that somebody must approve before they run."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import unirt
from tests.unirt.desk import double, opened

from .conftest import Toy


async def test_a_call_runs_when_it_is_approved_and_not_otherwise(toy: Toy) -> None:
    asked: list[unirt.ToolRequest] = []

    def approve(request: unirt.ToolRequest) -> bool:
        asked.append(request)
        if request.call_id == "c3":
            raise unirt.ToolError("not before noon")
        return request.call_id == "c1"

    async with opened(toy, unirt.tool(double, approve=True), approve=approve) as desk:
        await desk.call("double", "c1", number=1)
        assert (await desk.result())["output"] == {"doubled": 2}
        await desk.call("double", "c2", number=1)
        assert (await desk.result())["error"] == "the call was not approved"
        await desk.call("double", "c3", number=1)
        assert (await desk.result())["error"] == "not before noon"
        statuses = [(await desk.finished()).status for _ in range(3)]
        assert statuses == ["completed", "rejected", "rejected"]
        assert [(r.name, r.call_id, r.response_id) for r in asked[:1]] == [("double", "c1", "r1")]


@pytest.mark.parametrize("answer", ["yes", None, 1])
async def test_only_true_is_a_yes(toy: Toy, answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def approve(request: unirt.ToolRequest) -> Any:
        return answer

    async with opened(toy, unirt.tool(double, approve=approve)) as desk:
        await desk.call("double", number=1)
        assert (await desk.result())["error"] == "the call was not approved"
        assert isinstance((await desk.finished()).exception, TypeError)


async def test_a_call_that_is_cancelled_while_somebody_thinks_is_never_run(toy: Toy) -> None:
    asked = asyncio.Event()

    async def approve(request: unirt.ToolRequest) -> bool:
        asked.set()
        await asyncio.Event().wait()
        return True

    async with opened(toy, unirt.tool(double, approve=approve)) as desk:
        await desk.call("double", number=1)
        await asked.wait()
        await toy.say("cancel", calls=["c1"])
        assert (await desk.finished()).status is unirt.ToolStatus.CANCELLED


def test_a_tool_that_nobody_could_approve_is_refused_at_once() -> None:
    with pytest.raises(unirt.ConfigurationError, match="nobody is there to approve"):
        unirt.connect("openai", tools=[unirt.tool(double, approve=True)], env_file=None)


async def test_an_update_with_a_tool_that_nobody_could_approve_is_refused(toy: Toy) -> None:
    async with opened(toy) as desk:
        with pytest.raises(unirt.ConfigurationError, match="nobody is there to approve"):
            await desk.session.update(tools=[unirt.tool(double, approve=True)])


@pytest.mark.parametrize("wrong", ["[nonsense", '{"path":' * 50_000], ids=["cut", "deep"])
async def test_a_providers_request_for_approval_is_answered_by_the_callback(
    toy: Toy, wrong: str
) -> None:
    def approve(request: unirt.ToolRequest) -> bool:
        if request.arguments != {"path": "/tmp"}:
            raise unirt.ToolError("only /tmp")
        return request.server == "far away"

    async with opened(toy, approve=approve) as desk:
        await toy.say("approval", id="a1", name="remove", arguments='{"path": "/tmp"}')
        assert await toy.heard() == {"do": "ApproveServerTool", "approve": True, "reason": None}
        settled = await desk.until(unirt.ApprovalSettled)
        assert (settled.approval_id, settled.name, settled.approved) == ("a1", "remove", True)
        await toy.say("approval", id="a2", name="remove", arguments=wrong)
        assert await toy.heard() == {
            "do": "ApproveServerTool",
            "approve": False,
            "reason": "only /tmp",
        }
        settled = await desk.until(unirt.ApprovalSettled)
        assert (settled.approved, settled.reason) == (False, "only /tmp")


async def test_without_a_callback_a_request_for_approval_is_only_told(toy: Toy) -> None:
    async with opened(toy) as desk:
        await toy.say("approval", id="a1", name="remove")
        assert (await desk.until(unirt.ApprovalRequested)).approval_id == "a1"
        await desk.session.approve("a1", False, reason="no")
        assert (await toy.heard())["reason"] == "no"
