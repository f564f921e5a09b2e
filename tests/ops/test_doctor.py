"""The doctor finds what is missing and names the command that supplies it."""

from __future__ import annotations

import socket
from pathlib import Path

from docproc.ops.doctor import (
    Check,
    check_certs,
    check_cv2,
    check_models,
    check_port,
    check_program,
    check_sqlite,
    diagnose,
    healthy,
)


def test_this_installation_has_one_cv2() -> None:
    found = check_cv2()
    assert found.ok
    name, version = found.detail.split("==")
    assert name == "opencv-contrib-python" and int(version.split(".")[0]) >= 5  # not the one that PaddleX pins


def test_missing_weights_and_fonts_name_the_fetch_command(tmp_path: Path) -> None:
    weights, fonts = check_models(tmp_path)
    assert (weights.name, weights.ok, weights.remedy) == ("weights", False, "docproc models fetch")
    assert "weights/small/rec/inference.onnx missing" in weights.detail
    assert (fonts.name, fonts.ok) == ("fonts", False)


def test_missing_certificates_name_their_command(tmp_path: Path) -> None:
    assert check_certs(tmp_path).remedy == "docproc seal dev-pki"
    assert "seal-rsa.p12" in check_certs(tmp_path).detail


def test_a_taken_port_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = check_port("127.0.0.1", port)
        assert not found.ok
        assert "DOCPROC_PORT" in found.remedy
    assert check_port("127.0.0.1", 0).ok


def test_the_write_ahead_log_is_tried_where_the_data_goes(tmp_path: Path) -> None:
    found = check_sqlite(tmp_path / "new")
    assert found.ok
    assert "wal" in found.detail
    assert list((tmp_path / "new").iterdir()) == []
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert "DOCPROC_DATA_DIR" in check_sqlite(blocked).remedy


def test_a_missing_program_names_its_package_and_does_no_harm() -> None:
    missing = check_program("no-such-program-here", "some-package", "does something")
    assert (missing.ok, missing.remedy, missing.needed) == (False, "apt-get install some-package", False)
    assert check_program("sh", "dash", "shell").ok
    assert healthy([missing])
    assert not healthy([missing, Check("x", False, "")])


def test_everything_is_looked_at_and_what_is_wrong_has_a_remedy(tmp_path: Path) -> None:
    checks = diagnose(models=tmp_path, certs=tmp_path, data=tmp_path, port=0)
    names = [check.name for check in checks]
    assert len(set(names)) == len(names)
    assert {
        "python",
        "cv2",
        "weights",
        "fonts",
        "certificates",
        "sqlite",
        "disk",
        "port",
        "processor",
        "pdfsig",
    } <= set(names)
    assert all(bool(check.remedy) != check.ok for check in checks)
    assert not healthy(checks)
