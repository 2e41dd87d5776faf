"""The server's side of the protocol: what simulators are built on, and a gateway will be."""

from unirt_google.server.translator import GoogleServer

__all__ = ["GoogleServer"]
