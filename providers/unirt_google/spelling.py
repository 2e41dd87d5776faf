"""
The two spellings of a name.

Google's JSON is protojson: a field may be written ``serverContent`` or ``server_content``, and a
``null`` means that it is absent (https://protobuf.dev/programming-guides/json, 2026-11). Servers
write the first spelling; the official SDK writes both in one frame. Here the second becomes the
first, one object at a time, so that all other code knows one spelling. An object without an
underscore in any name, which is every frame a real server was seen to send, is handed back as it
is. Names that are not listed stay as they were written: they are reported in the sender's words.
"""

from __future__ import annotations

import re

from unirt.wire import Wire

__all__ = ["camel", "snake", "spelled"]

_NAMES = re.findall(
    r"\w+",
    """
    setupComplete serverContent toolCall toolCallCancellation usageMetadata goAway
    sessionResumptionUpdate voiceActivityDetectionSignal voiceActivity
    sessionId voiceConsentSignature
    modelTurn turnComplete groundingMetadata generationComplete inputTranscription
    outputTranscription urlContextMetadata turnCompleteReason waitingForInput
    interimInputTranscription interactionStatus
    languageCode speakerLabel startOffset endOffset
    inlineData mimeType executableCode codeExecutionResult functionCall functionCalls
    functionResponse fileData thoughtSignature videoMetadata toolResponse toolType partMetadata
    mediaResolution audioTranscription mediaProcessing speechMetadata documentMetadata
    spreadsheetMetadata audioMetadata displayName
    newHandle lastConsumedClientMessageIndex timeLeft voiceActivityType audioOffset vadSignalType
    promptTokenCount cachedContentTokenCount responseTokenCount candidatesTokenCount
    toolUsePromptTokenCount thoughtsTokenCount totalTokenCount promptTokensDetails
    cacheTokensDetails responseTokensDetails candidatesTokensDetails toolUsePromptTokensDetails
    tokenCount trafficType serviceTier partialArgs willContinue
    """,
)
"""
Every name of two words in a server message: the fields of ``google.genai.types.LiveServerMessage``
and of what it holds (3.4.0, 2026-11), and the counts as Vertex AI spells them.
"""


def camel(name: str) -> str:
    """``server_content`` as ``serverContent``."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def snake(name: str) -> str:
    """``serverContent`` as ``server_content``."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


_CAMEL = {snake(name): name for name in _NAMES}


def spelled(wire: Wire) -> Wire:
    """The object with the names that we know in camelCase; where both are set, camelCase wins."""
    for name in wire.data:
        if "_" in name:
            break
    else:
        return wire
    fields = {}
    for name, value in wire.data.items():
        known = _CAMEL.get(name, name)
        if value is not None and (known == name or wire.data.get(known) is None):
            fields[known] = value
    return Wire(fields, wire.path)
