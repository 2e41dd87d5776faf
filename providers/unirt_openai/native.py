"""
Frames as the SDK's own typed objects, on request.

The SDK's parser takes the first member of its union for every type that it does not know, so an
unknown event would come as a ``ConversationCreatedEvent``. Here the class is found by the type: in
the GA union, else in the beta's, and what is in neither becomes the SDK's plain model, which holds
every field as an attribute. The SDK is imported when this is called, and not before.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from functools import cache
from typing import Any

__all__ = ["parse_native"]


def parse_native(raw: Any) -> Any:
    """
    The frame as an object of the SDK; `raw` itself where it is no JSON object.

    Raises:
        ImportError: The SDK is not installed.
    """
    if not isinstance(raw, dict):
        return raw
    type_ = raw.get("type")
    model = _models().get(type_) if isinstance(type_, str) else None
    if model is None:
        from openai import BaseModel

        model = BaseModel
    fields = {key: value for key, value in raw.items() if key not in _TAKEN}
    return model.construct(**fields)


_TAKEN = frozenset({"_fields_set", "__cls", "_BaseModel__cls"})
"Parameters of ``construct`` itself: as fields of a frame they would be taken for those."


@cache
def _models() -> Mapping[str, Any]:
    from openai.types import realtime
    from openai.types.beta import realtime as beta

    return {**_by_type(beta.RealtimeServerEvent), **_by_type(realtime.RealtimeServerEvent)}


def _by_type(union: Any) -> dict[str, Any]:
    models = {}
    for model in typing.get_args(typing.get_args(union)[0]):
        for type_ in typing.get_args(model.model_fields["type"].annotation):
            models[type_] = model
    return models
