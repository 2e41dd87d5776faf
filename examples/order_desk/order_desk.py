"""
A desk that answers questions about orders: an application to test with cassettes.

Nothing in it knows of tests: it connects as any application does, calls a function of its own when
the model asks for it, and gives back what the model said.
"""

import asyncio
import sys

import unirt

ORDERS = {"4711": "on its way, and comes on Friday", "4712": "waiting for the payment"}

FIND_ORDER = unirt.Tool(
    name="find_order",
    description="Where an order is.",
    parameters={
        "type": "object",
        "properties": {"number": {"type": "string"}},
        "required": ["number"],
    },
)


class LineIsDown(Exception):
    """The desk cannot be reached; the caller may try again."""


async def ask(question: str) -> str:
    """What the desk says to a question."""
    try:
        async with unirt.connect(
            instructions="You answer questions about orders, in one sentence.",
            tools=[FIND_ORDER],
        ) as session:
            await session.send_text(question)
            return await _answer(session)
    except (unirt.ConnectionLost, unirt.DialError) as exc:
        raise LineIsDown(str(exc)) from exc


async def _answer(session: unirt.Session) -> str:
    said = ""
    async for event in session:
        match event:
            case unirt.ToolCall(name="find_order", call_id=call_id, args=args):
                number = str((args or {}).get("number"))
                state = ORDERS.get(number)
                if state is None:
                    await session.send_tool_result(call_id, error=f"there is no order {number}")
                else:
                    await session.send_tool_result(call_id, {"order": number, "state": state})
            case unirt.StreamClosed(role="assistant", kind="transcript", text=text) if text:
                said = text
            case unirt.ResponseDone(ending="complete") if said:
                break
            case _:
                pass
    return said


if __name__ == "__main__":
    print(asyncio.run(ask(" ".join(sys.argv[1:]) or "Where is my order 4711?")))
