"""The server's side of the protocol: what simulators are built on, and a gateway will be."""

from unirt_openai.server.translator import OpenAIServer

__all__ = ["OpenAIServer"]
