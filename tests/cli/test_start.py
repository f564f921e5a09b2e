"""What a command loads before it does anything: the time that a person waits for it."""

from __future__ import annotations

import pytest

from tests.cli.loaded import loaded_by


@pytest.mark.parametrize("arguments", [["--help"], ["verify", "--help"], ["seal", "--help"]])
def test_help_loads_neither_settings_nor_anything_that_does_work(arguments: list[str]) -> None:
    status, loaded, told = loaded_by(*arguments)
    assert (status, "Usage:" in told) == (0, True)
    assert "typer" in loaded
    assert not loaded & {"pydantic_settings", "sqlalchemy", "dbos", "cryptography", "pyhanko", "numpy", "cv2", "httpx"}
