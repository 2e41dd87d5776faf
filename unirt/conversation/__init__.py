"""
A conversation as a value: what a session's history is, and what may be kept, read and gone on with.

A conversation is a tuple of items, so it goes wherever items go: into ``connect(history=...)``,
into ``session.seed(...)``. Beyond that it can be written as JSON, and read again.

The format
----------
::

    {
      "format": "unirt.conversation",
      "version": 1,
      "items": [
        {"kind": "message", "role": "user", "content": [{"type": "text", "text": "Hello"}]},
        {"kind": "tool_call", "call_id": "c1", "name": "look", "arguments": "{}"}
      ]
    }

Every field of :class:`~unirt.items.Item` and of what it holds has its own name there; what is not
set is left out. Bytes are base64. It is text for people to read, and it comes back exactly.

A version that is newer than this one knows is refused, and so is a field that it does not know:
whoever goes on with a conversation must not lose part of it without knowing.
"""

from unirt.conversation.conversation import Conversation

__all__ = ["Conversation"]
