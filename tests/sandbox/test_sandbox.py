from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from docproc.errors import InputError, LimitError, OverdueError, SetupError, UnsupportedFileError
from docproc.sandbox import pace
from docproc.sandbox.parent import Budget, Sandbox
from docproc.sandbox.spent import metered


def parser(data: bytes, options: dict[str, Any]) -> tuple[dict[str, Any], Sequence[bytes]]:
    """Runs in the child: a parser that does what the file tells it to."""
    if data == b"crash":
        os.abort()
    if data == b"spin":
        while True:
            pass
    if data == b"sleep":
        time.sleep(60)
    if data == b"slow part":
        pace.allow(60)
        pace.allow(0.2)
        return {"found": sum(range(10**9))}, []
    if data == b"work":
        until = time.process_time() + 0.3
        while time.process_time() < until:
            pass
    if data == b"eat":
        return {}, [bytes(3 << 30)]
    if data == b"flood":
        return {}, [bytes(2_000_000)]
    if data == b"refuse":
        raise UnsupportedFileError("bad", message_zh="不行", code="my_code")
    if data == b"bug":
        raise ZeroDivisionError
    if data == b"secret":
        return {"names": sorted(os.environ)}, []
    return {"pid": os.getpid(), "size": len(data), **options}, [data, data[::-1]]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    box = Sandbox("tests.sandbox.test_sandbox:parser")
    yield box
    box.close()


BUDGET = Budget(cpu_s=1, memory_mb=1024, wall_s=60.0, result_bytes=1_000_000)
NO_TIME = replace(BUDGET, wall_s=2.0)


def budget(data: bytes) -> Budget:
    """Wall time for a busy machine, but for what sleeps it away."""
    return NO_TIME if data == b"sleep" else BUDGET


def test_answer_and_bytes_come_back_from_another_process(sandbox: Sandbox) -> None:
    answer, parts = sandbox.call(b"hello", {"word": "字"}, BUDGET)
    assert answer["size"] == 5
    assert answer["word"] == "字"
    assert answer["pid"] != os.getpid()
    assert parts == [b"hello", b"olleh"]


def test_every_job_has_a_process_of_its_own(sandbox: Sandbox) -> None:
    assert len({sandbox.call(b"x", {}, BUDGET)[0]["pid"] for _ in range(3)}) == 3


@pytest.mark.parametrize(
    ("data", "error", "code"),
    [
        (b"crash", UnsupportedFileError, "damaged_file"),
        (b"bug", UnsupportedFileError, "damaged_file"),
        (b"spin", LimitError, "too_slow"),
        (b"sleep", OverdueError, "too_slow"),
        (b"slow part", LimitError, "too_slow"),
        (b"eat", LimitError, "too_much_memory"),
        (b"refuse", UnsupportedFileError, "my_code"),
    ],
)
def test_faults_become_input_errors_and_the_next_job_runs(
    sandbox: Sandbox, data: bytes, error: type[InputError], code: str
) -> None:
    with pytest.raises(error) as caught:
        sandbox.call(data, {}, budget(data))
    assert caught.value.code == code
    assert sandbox.call(b"next", {}, BUDGET)[0]["size"] == 4


@pytest.mark.parametrize(
    ("data", "least", "most"), [(b"work", 0.3, 0.8), (b"spin", 0.7, 1.3), (b"slow part", 0.15, 0.8), (b"sleep", 0, 0.3)]
)
def test_what_a_child_computes_is_counted_for_whoever_asked_though_it_was_stopped(
    sandbox: Sandbox, data: bytes, least: float, most: float
) -> None:
    with metered() as meter, suppress(InputError):
        sandbox.call(data, {}, budget(data))
    assert least <= meter.cpu_s <= most


def test_only_an_end_by_the_clock_may_be_the_machines_fault(sandbox: Sandbox) -> None:
    for data in (b"spin", b"slow part", b"crash"):
        with pytest.raises(InputError) as caught:
            sandbox.call(data, {}, budget(data))
        assert not isinstance(caught.value, OverdueError)


def test_too_large_an_answer_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(InputError):
        sandbox.call(b"flood", {}, BUDGET)


def test_environment_is_not_handed_on(sandbox: Sandbox) -> None:
    names = sandbox.call(b"secret", {}, BUDGET)[0]["names"]
    assert [name for name in names if name.startswith("DOCPROC_")] == ["DOCPROC_MODELS"]
    assert "USER" not in names
    assert "PATH" in names


def test_threads_share_a_sandbox(sandbox: Sandbox) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: sandbox.call(bytes(n), {}, BUDGET)[0]["size"], range(12)))
    assert answers == list(range(12))


def test_closed_sandbox_starts_again(sandbox: Sandbox) -> None:
    sandbox.close()
    assert sandbox.call(b"again", {}, BUDGET)[0]["size"] == 5


def test_missing_target_is_a_setup_error() -> None:
    with pytest.raises(SetupError):
        Sandbox("docproc.no_such_module:f").call(b"", {}, BUDGET)
