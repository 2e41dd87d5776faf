"""``unirt providers``: what is installed, what each can do, and what is set."""

import re
from pathlib import Path

from tests.cli.terminal import Run


def test_providers_tells_what_is_set_and_never_the_value(unirt: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GOOGLE_API_KEY=AIza-very-secret\n")
    done = unirt("providers", OPENAI_API_KEY="sk-very-secret")

    assert done.returncode == 0, done.stderr
    assert re.search(r"OPENAI_API_KEY .* yes", done.stdout)
    assert re.search(r"GOOGLE_API_KEY .* yes", done.stdout)
    assert re.search(r"GEMINI_API_KEY .* no", done.stdout)
    assert "very-secret" not in done.stdout + done.stderr
    for word in ("openai", "google", "native", "emulated", "refused", "synthesised"):
        assert word in done.stdout
