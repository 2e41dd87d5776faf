"""
The official clients against the simulators: proof that these are not made to fit our own client.

Each vendor's SDK, through its public API only, holds a written turn, a spoken turn, a tool round
and a barge-in with a simulator of its vendor's protocol, over real sockets.
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trustme
from google import genai
from google.genai import types
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import RealtimeSessionCreateRequestParam

from unirt import PCM16_16K, PCM16_24K, CancelResponse, SendToolResult, TruncateItem
from unirt.audio import AudioFormat
from unirt.registry import load
from unirt.simulator import Simulator, builtin
from unirt.simulator.voice import silence, speech

TRANSCRIBED: RealtimeSessionCreateRequestParam = {
    "type": "realtime",
    "audio": {"input": {"transcription": {"model": "gpt-realtime-whisper"}}},
}
LIVE = "gemini-3.8-live"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def spoken(ms: float, format: AudioFormat) -> list[bytes]:
    """A voice and the silence after it, in pieces of 100 ms."""
    sound = speech(ms, format) + silence(700, format)
    size = format.bytes_for(100)
    return [sound[start : start + size] for start in range(0, len(sound), size)]


class OpenAITalk:
    """A conversation through ``AsyncOpenAI().realtime.connect()``."""

    def __init__(self, connection: AsyncRealtimeConnection) -> None:
        self.connection = connection

    async def speak(self, ms: float) -> None:
        for piece in spoken(ms, PCM16_24K):
            audio = base64.b64encode(piece).decode()
            await self.connection.input_audio_buffer.append(audio=audio)

    async def until(self, *types: str) -> list[Any]:
        """The events up to the first of one of these types."""
        events: list[Any] = []
        while True:
            events.append(await self.connection.recv())
            if events[-1].type in types:
                return events


@pytest.fixture
async def openai_talk(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Simulator, Any]]:
    async with Simulator(load("openai"), builtin(request.param)) as sim:
        client = AsyncOpenAI(api_key="sk-test", websocket_base_url=f"{sim.url}/v1")
        async with client, client.realtime.connect(model="gpt-realtime-2.1") as connection:
            await connection.session.update(session=TRANSCRIBED)
            yield sim, OpenAITalk(connection)


def joined(events: list[Any], type: str) -> str:
    return "".join(event.delta for event in events if event.type == type)


@pytest.mark.parametrize("openai_talk", ["text_turn"], indirect=True)
async def test_openai_written_turn(openai_talk: tuple[Simulator, OpenAITalk]) -> None:
    sim, talk = openai_talk
    content = [{"type": "input_text", "text": "Good morning."}]
    item: Any = {"type": "message", "role": "user", "content": content}
    await talk.connection.conversation.item.create(item=item)
    await talk.connection.response.create()
    events = await talk.until("response.done")
    assert events[0].type == "session.created"
    assert events[1].type == "session.updated"
    assert joined(events, "response.output_audio_transcript.delta") == "Good morning to you."
    sound = base64.b64decode(joined(events, "response.output_audio.delta"))
    assert PCM16_24K.duration_ms(len(sound)) == 1200
    done = events[-1].response
    assert (done.status, done.usage.output_token_details.audio_tokens) == ("completed", 24)
    await sim.settled()
    assert sim.connections[0].totals.commands["Respond"] == 1


@pytest.mark.parametrize("openai_talk", ["spoken_turn"], indirect=True)
async def test_openai_spoken_turn(openai_talk: tuple[Simulator, OpenAITalk]) -> None:
    sim, talk = openai_talk
    await talk.speak(1200)
    events = await talk.until("response.done")
    types = [event.type for event in events]
    landmarks = [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.input_audio_transcription.completed",
        "response.created",
    ]
    assert [type for type in types if type in landmarks] == landmarks
    completed = next(event for event in events if event.type == landmarks[3])
    assert completed.transcript == "What time is it?"
    assert sim.connections[0].totals.audio_ms_received == 1900


@pytest.mark.parametrize("openai_talk", ["tool_call"], indirect=True)
async def test_openai_tool_round(openai_talk: tuple[Simulator, OpenAITalk]) -> None:
    sim, talk = openai_talk
    await talk.speak(1500)
    events = await talk.until("response.done")
    (call,) = events[-1].response.output
    assert (call.type, call.name, call.arguments) == (
        "function_call",
        "get_weather",
        '{"city":"London"}',
    )
    item: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "cloudy"}
    await talk.connection.conversation.item.create(item=item)
    await talk.connection.response.create()
    events = await talk.until("response.done")
    words = joined(events, "response.output_audio_transcript.delta")
    assert words == "It is cloudy in London, and fourteen degrees."
    (result,) = (c for c in sim.connections[0].commands if isinstance(c, SendToolResult))
    assert (result.call_id, result.output) == (call.call_id, "cloudy")


@pytest.mark.parametrize("openai_talk", ["barge_in_generating"], indirect=True)
async def test_openai_barge_in(openai_talk: tuple[Simulator, OpenAITalk]) -> None:
    sim, talk = openai_talk
    await talk.speak(1000)
    events = await talk.until("response.output_audio.delta")
    spoken_item = events[-1].item_id
    await talk.speak(900)
    events = await talk.until("response.done")
    done = events[-1].response
    assert (done.status, done.status_details.reason) == ("cancelled", "turn_detected")
    await talk.connection.conversation.item.truncate(
        item_id=spoken_item, content_index=0, audio_end_ms=50
    )
    events = await talk.until("response.done")
    assert "conversation.item.truncated" in [event.type for event in events]
    assert joined(events, "response.output_audio_transcript.delta") == "Knock, knock."
    assert any(isinstance(c, TruncateItem) for c in sim.connections[0].commands)


@pytest.mark.parametrize("openai_talk", ["cancelled"], indirect=True)
async def test_openai_cancellation(openai_talk: tuple[Simulator, OpenAITalk]) -> None:
    sim, talk = openai_talk
    content = [{"type": "input_text", "text": "Explain everything."}]
    item: Any = {"type": "message", "role": "user", "content": content}
    await talk.connection.conversation.item.create(item=item)
    await talk.connection.response.create()
    await talk.until("response.output_audio.delta")
    await talk.connection.response.cancel()
    done = (await talk.until("response.done"))[-1].response
    assert (done.status, done.status_details.reason) == ("cancelled", "client_cancelled")
    await talk.connection.response.cancel()
    error = (await talk.until("error"))[-1].error
    assert error.code == "response_cancel_not_active"
    assert sum(isinstance(c, CancelResponse) for c in sim.connections[0].commands) == 1


class GoogleTalk:
    """A conversation through ``genai.Client().aio.live.connect()``."""

    def __init__(self, session: Any) -> None:
        self.session = session

    async def write(self, text: str) -> None:
        turn = types.Content(role="user", parts=[types.Part(text=text)])
        await self.session.send_client_content(turns=turn, turn_complete=True)

    async def speak(self, ms: float) -> None:
        for piece in spoken(ms, PCM16_16K):
            blob = types.Blob(data=piece, mime_type="audio/pcm;rate=16000")
            await self.session.send_realtime_input(audio=blob)

    async def turn(self) -> list[types.LiveServerMessage]:
        """The messages up to the end of the model's turn."""
        return [message async for message in self.session.receive()]


@pytest.fixture
async def google_talk(
    request: pytest.FixtureRequest, authority: trustme.CA
) -> AsyncIterator[tuple[Simulator, GoogleTalk]]:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(server)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    scenario = builtin(request.param)
    async with Simulator(load("google"), scenario, ssl=server) as sim:
        options = types.HttpOptions(
            base_url=sim.url.replace("wss://", "https://"),
            async_client_args={"ssl": trusting},
        )
        client = genai.Client(api_key="test", http_options=options)
        config = types.LiveConnectConfig(
            response_modalities=[types.Modality.AUDIO],
            input_audio_transcription=types.AudioTranscriptionConfig(),
            output_audio_transcription=types.AudioTranscriptionConfig(),
        )
        async with client.aio.live.connect(model=LIVE, config=config) as session:
            yield sim, GoogleTalk(session)


def contents(messages: list[types.LiveServerMessage]) -> list[types.LiveServerContent]:
    return [m.server_content for m in messages if m.server_content is not None]


def words(messages: list[types.LiveServerMessage]) -> str:
    given = (content.output_transcription for content in contents(messages))
    return "".join(piece.text or "" for piece in given if piece is not None)


@pytest.mark.parametrize("google_talk", ["text_turn"], indirect=True)
async def test_google_written_turn(google_talk: tuple[Simulator, GoogleTalk]) -> None:
    sim, talk = google_talk
    await talk.write("Good morning.")
    messages = await talk.turn()
    assert words(messages) == "Good morning to you."
    sound = b"".join(message.data or b"" for message in messages)
    assert PCM16_24K.duration_ms(len(sound)) == 1200
    assert any(content.generation_complete for content in contents(messages))
    assert messages[-1].server_content is not None
    assert messages[-1].server_content.turn_complete
    assert messages[-1].usage_metadata is not None
    assert messages[-1].usage_metadata.prompt_token_count == 12
    assert sim.connections[0].totals.commands["SendText"] == 1


@pytest.mark.parametrize("google_talk", ["spoken_turn"], indirect=True)
async def test_google_spoken_turn(google_talk: tuple[Simulator, GoogleTalk]) -> None:
    sim, talk = google_talk
    await talk.speak(1200)
    messages = await talk.turn()
    heard = (content.input_transcription for content in contents(messages))
    assert "".join(piece.text or "" for piece in heard if piece) == "What time is it?"
    assert words(messages) == "It is a quarter past nine."
    assert sim.connections[0].totals.audio_ms_received == 1900


@pytest.mark.parametrize("google_talk", ["tool_call"], indirect=True)
async def test_google_tool_round(google_talk: tuple[Simulator, GoogleTalk]) -> None:
    sim, talk = google_talk
    await talk.speak(1500)
    messages = []
    async for message in talk.session.receive():
        messages.append(message)
        if message.tool_call is not None:
            (call,) = message.tool_call.function_calls
            assert (call.name, call.args) == ("get_weather", {"city": "London"})
            response = types.FunctionResponse(
                id=call.id, name=call.name, response={"output": "cloudy"}
            )
            await talk.session.send_tool_response(function_responses=[response])
    assert words(messages) == "It is cloudy in London, and fourteen degrees."
    (result,) = (c for c in sim.connections[0].commands if isinstance(c, SendToolResult))
    assert result.output == "cloudy"


@pytest.mark.parametrize("google_talk", ["barge_in_generating"], indirect=True)
async def test_google_barge_in(google_talk: tuple[Simulator, GoogleTalk]) -> None:
    _, talk = google_talk
    await talk.speak(1000)
    interrupted = False
    async for message in talk.session.receive():
        if message.data and not interrupted:
            await talk.speak(900)
            interrupted = True
        content = message.server_content
        if content is not None and content.interrupted:
            break
    else:
        pytest.fail("the turn ended without having been interrupted")
    rest = await talk.turn()
    assert not any(message.data for message in rest)
    assert rest[-1].usage_metadata is not None
    assert words(await talk.turn()) == "Knock, knock."
