"""A parser that was taken over reaches nothing: through every production target, for root and for a plain user.

What it tries stands in ``hostile``; it is loaded into helpers of the production sandboxes' own policies, in place of
their targets, which it then runs with the parser replaced. Nothing in production has a hook for it.
"""

from __future__ import annotations

import ast
import errno
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from api.serve import serve
from docproc.errors import InputError, SetupError, UnsupportedFileError
from docproc.flow.core.sandboxes import is_strict, refuse_weak_sandbox
from docproc.flow.worker import run_worker
from docproc.ops.sandbox_check import check_sandbox
from docproc.sandbox import landlock
from docproc.sandbox.demand import demand
from docproc.sandbox.filter import program
from docproc.sandbox.parent import Sandbox
from docproc.sandbox.policy import UID
from docproc.settings import Settings
from tests.security.hostile import ATTEMPTS, FREELY, MARK, STOPPED
from tests.security.shut_in import TARGETS, picture

ROOT = Path(__file__).parents[2]
PLAIN_UID = 61234
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@cache
def told(*how: str, python: str = sys.executable, home: str = "", options: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the attempts reach when the service runs in this way."""
    command = [*how, python, "-m", "tests.security.shut_in", *options]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    environment["HOME"] = home or str(Path.home())
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=900)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def nothing_reached(found: dict[str, Any]) -> None:
    """Nothing but whether a path is there, and that only in the service's own file system."""
    assert found["victim_is_whole"]
    assert set(found["targets"]) == set(TARGETS)
    for name, target in found["targets"].items():
        assert target["untold"] == [], name
        assert set(target["stopped"]) == STOPPED, name
        assert target["held"]["filter"] and target["held"]["landlock"] == landlock.abi(), name
        assert set(target["reached"]) <= (set() if target["held"]["own_files"] else {"known_paths"}), name


def test_nothing_is_reached_by_a_parser_of_a_service_that_runs_as_this_user() -> None:
    nothing_reached(told(options=("--free",)))


def test_the_attempts_reach_it_all_where_nothing_shuts_them_in() -> None:
    assert set(told(options=("--free",))["free"]) == FREELY
    assert set(ATTEMPTS) >= FREELY


@pytest.mark.parametrize("dropped", ["-sys_admin", "-all"])
@AS_ROOT
def test_nothing_is_reached_where_root_lacks_capabilities_and_namespaces(dropped: str) -> None:
    rights = ("setpriv", f"--bounding-set={dropped}", f"--inh-caps={dropped}")
    found = told(*rights, options=("--no-namespaces",))
    nothing_reached(found)
    assert all(target["held"]["namespaces"] == [] for target in found["targets"].values())


@pytest.mark.parametrize("options", [(), ("--no-namespaces",)])
@AS_ROOT
def test_nothing_is_reached_by_a_parser_of_a_plain_user(options: tuple[str, ...]) -> None:
    rights = ("setpriv", f"--reuid={PLAIN_UID}", f"--regid={PLAIN_UID}", "--clear-groups")
    with tempfile.TemporaryDirectory(prefix="docproc-home-", dir="/tmp") as home:
        os.chown(home, PLAIN_UID, PLAIN_UID)
        found = told(*rights, python=str(python_for_others()), home=home, options=options)
    nothing_reached(found)
    assert found["uid"] == PLAIN_UID
    assert all(target["held"]["uid"] == PLAIN_UID for target in found["targets"].values())
    if options:
        assert all(target["held"]["namespaces"] == [] for target in found["targets"].values())


def test_nothing_is_reached_without_namespaces() -> None:
    nothing_reached(told(options=("--no-namespaces",)))


def python_for_others() -> Path:
    """A Python of this version that every user can start, with our packages."""
    real = Path(sys.executable).resolve()
    if all(folder.stat().st_mode & 0o001 for folder in real.parents):
        return Path(sys.executable)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    others = shutil.which(version, path="/usr/bin:/usr/local/bin")
    if others is None or not all(folder.stat().st_mode & 0o001 for folder in (ROOT, *ROOT.parents)):
        pytest.skip(f"other users can start no {version}, or not read {ROOT}")
    folder = Path("/tmp") / f"docproc-python-{os.getpid()}"
    if not folder.is_dir():
        subprocess.run([others, "-m", "venv", "--without-pip", "--symlinks", folder], check=True)
        packages = folder / "lib" / version / "site-packages"
        (packages / "ours.pth").write_text(next(entry for entry in sys.path if entry.endswith("site-packages")))
        folder.chmod(0o755)
    return folder / "bin" / "python"


@pytest.fixture(scope="module", autouse=True)
def _no_python_is_left() -> Any:
    yield
    shutil.rmtree(Path("/tmp") / f"docproc-python-{os.getpid()}", ignore_errors=True)


def test_every_sandbox_of_production_is_tried() -> None:
    made = set()
    for path in (*ROOT.joinpath("docproc").rglob("*.py"), *ROOT.joinpath("api").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Sandbox":
                assert isinstance(node.args[0], ast.Constant), path
                made.add(node.args[0].value)
    assert made - {"docproc.sandbox.probe:look"} == {
        getattr(module, name).target for module, name, *_ in TARGETS.values()
    }


LIES = [
    {},
    {"pages": [], "count": 9, "codes": 5, "sheets": [], "left": 1, "fields": [], "added": 1},
    {"pages": 5, "count": 1e999, "codes": None, "sheets": None, "fields": None},
    {"pages": [{}], "count": 1, "codes": 1, "sheets": [{}], "fields": [{}]},
    {"pages": [{"height": -1, "width": 1e30, "dpi": "x"}], "count": 1, "codes": 1, "sheets": [5], "fields": [5]},
    {"pages": [[]], "count": [], "codes": 1, "sheets": [[]], "fields": [{"fact": 99}]},
]


@pytest.mark.parametrize("name", sorted(set(TARGETS) - {"verification"}))
def test_a_parser_that_lies_makes_a_damaged_file_and_nothing_else(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, attribute, _, use = TARGETS[name]
    liar = Sandbox("tests.security.hostile:liar")
    monkeypatch.setattr(module, attribute, liar)
    for lie in LIES:
        for parts in (0, 1, 3):
            with pytest.raises(InputError):
                use(picture() + MARK + json.dumps({"answer": lie, "parts": parts}).encode())
    liar.close()


# --- the filter's program, run as the kernel runs it, for both kinds of machines

X86_64, AARCH64, I386 = 0xC000003E, 0xC00000B7, 0x40000003
ALLOW, KILL, NOT_PERMITTED, NO_SYSTEM_CALL = 0x7FFF0000, 0x80000000, 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS


def judged(code: bytes, architecture: int, number: int, *arguments: int) -> int:
    """What the filter answers to a system call."""
    given = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, architecture, 0, *(*arguments, *[0] * (6 - len(arguments))))
    steps = list(struct.iter_unpack("<HBBI", code))
    at, value = 0, 0
    tests = {
        0x15: lambda k: value == k,
        0x25: lambda k: value > k,
        0x35: lambda k: value >= k,
        0x45: lambda k: value & k != 0,
    }
    while True:
        operation, if_true, if_false, k = steps[at]
        at += 1
        if operation == 0x20:
            (value,) = struct.unpack_from("<I", given, k)
        elif operation == 0x54:
            value &= k
        elif operation == 0x05:
            at += k
        elif operation == 0x06:
            return int(k)
        else:
            at += if_true if tests[operation](k) else if_false


NUMBERS = {
    "X86_64": (X86_64, {"read": 0, "openat": 257, "clone": 56, "clone3": 435, "execve": 59, "socket": 41, "kill": 62}),
    "AARCH64": (
        AARCH64,
        {"read": 63, "openat": 56, "clone": 220, "clone3": 435, "execve": 221, "socket": 198, "kill": 129},
    ),
}


@pytest.mark.parametrize("machine", sorted(NUMBERS))
@pytest.mark.parametrize("threads", [False, True])
def test_filter_decides_alike_on_every_machine(machine: str, threads: bool) -> None:
    architecture, numbers = NUMBERS[machine]
    code = program(threads=threads, architecture=machine)

    def asked(name: str, *arguments: int) -> int:
        return judged(code, architecture, numbers[name], *arguments)

    assert asked("read") == ALLOW
    assert asked("openat", 0, 0, os.O_RDONLY | os.O_CLOEXEC) == ALLOW
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC, os.O_PATH, 0o20000000):
        assert asked("openat", 0, 0, flags) == NOT_PERMITTED
    assert asked("clone", 0x3D0F00) == (ALLOW if threads else NOT_PERMITTED)  # as a C library starts a thread
    for flags in (17, 0x1200000 | 17, 0x3D0F00 | 0x10000000, 0x3D0F00 | 0x20000, 0x4111):
        assert asked("clone", flags) == NOT_PERMITTED
    assert asked("clone3") == NO_SYSTEM_CALL
    assert asked("execve") == asked("socket") == KILL
    assert asked("kill") == NOT_PERMITTED
    assert asked("read") != judged(code, I386, numbers["read"])
    assert {judged(code, other, numbers["read"]) for other in (I386, 0xC0000000 | 0x15)} == {KILL}


def test_every_number_of_another_architecture_stops_the_parser() -> None:
    code = program(threads=True, architecture="X86_64")
    assert {judged(code, I386, number) for number in range(600)} == {KILL}
    assert {judged(code, X86_64, 0x40000000 | number) for number in range(600)} == {KILL}


# --- where it does not hold


def weak(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A helper finds a kernel without Landlock: it is started with a Python that says so."""
    (tmp_path / "sitecustomize.py").write_text(
        "import docproc.sandbox.landlock as l\nl.abi = lambda: 0\n", encoding="utf-8"
    )
    real = subprocess.Popen

    def with_it(command: list[str], **given: Any) -> Any:
        if "docproc.sandbox.child" in command:
            given["env"] = {**given["env"], "PYTHONPATH": f"{tmp_path}:{given['env']['PYTHONPATH']}"}
        return real(command, **given)

    monkeypatch.setattr("docproc.sandbox.parent.subprocess.Popen", with_it)


@pytest.fixture
def as_before() -> Any:
    yield
    demand(strict=False, uid=UID)


@pytest.mark.usefixtures("as_before")
def test_a_service_that_others_reach_does_not_start_without_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    weak(monkeypatch, tmp_path)
    public = Settings(_env_file=None, data_dir=tmp_path, host="0.0.0.0", allow_dev_pki=True)
    for start in (
        lambda: serve(public),
        lambda: run_worker(public, "w1", ["read"]),
        lambda: refuse_weak_sandbox(public),
    ):
        with pytest.raises(SetupError, match=r"no Landlock.*DOCPROC_ALLOW_WEAK_SANDBOX=true"):
            start()
    refuse_weak_sandbox(public.model_copy(update={"allow_weak_sandbox": True}))
    refuse_weak_sandbox(Settings(_env_file=None, data_dir=tmp_path))


def test_strict_is_what_others_reach_or_what_has_a_database_server(tmp_path: Path) -> None:
    alone = Settings(_env_file=None, data_dir=tmp_path)
    assert not is_strict(alone)
    assert is_strict(alone.model_copy(update={"public_url": "https://licences.example"}))
    assert is_strict(alone.model_copy(update={"database_url": "postgresql+psycopg://localhost/docproc"}))
    assert not is_strict(alone.model_copy(update={"host": "0.0.0.0", "allow_weak_sandbox": True}))


@pytest.mark.usefixtures("as_before")
def test_doctor_says_what_holds_and_what_does_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path)
    good = {check.name: check for check in check_sandbox(settings)}
    assert good["sandbox: filter"].ok and good["sandbox: Landlock"].ok and good["sandbox"].ok
    weak(monkeypatch, tmp_path)
    bad = {check.name: check for check in check_sandbox(settings)}
    assert not bad["sandbox: Landlock"].ok and "Linux 5.13" in bad["sandbox: Landlock"].remedy
    assert bad["sandbox: filter"].ok


def test_a_child_that_cannot_be_filtered_parses_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import docproc.sandbox.filter as f\ndef fail(code):\n    raise OSError(22, 'no')\nf.enforce = fail\n",
        encoding="utf-8",
    )
    weak_popen = subprocess.Popen

    def with_it(command: list[str], **given: Any) -> Any:
        given["env"] = {**given["env"], "PYTHONPATH": f"{tmp_path}:{given['env']['PYTHONPATH']}"}
        return weak_popen(command, **given)

    monkeypatch.setattr("docproc.sandbox.parent.subprocess.Popen", with_it)
    box = Sandbox("docproc.sandbox.probe:look")
    with pytest.raises(UnsupportedFileError):
        box.call(b"", {})
    box.close()
