"""Google's server side: which setups it accepts, and what it hears."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google_wire import MODELS, Wire

from unirt import AudioFormat
