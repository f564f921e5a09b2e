"""The container files fit the program: settings, commands and sources exist; only the sealer has keys."""

from __future__ import annotations

import re
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from api.kit.front.proxies import networks
from docproc.cli.main import app
from docproc.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILES = ("Dockerfile", "deploy/minio/Dockerfile")


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    return found


def ours() -> dict[str, dict[str, Any]]:
    return {name: item for name, item in services().items() if item.get("image") == "docproc"}


@pytest.mark.parametrize("name", sorted(ours()))
def test_every_service_runs_a_command_that_exists(name: str) -> None:
    asked = CliRunner().invoke(app, [*ours()[name]["command"], "--help"])  # options are parsed, nothing is run
    assert asked.exit_code == 0, asked.output


def test_a_command_that_does_not_exist_is_noticed() -> None:
    assert CliRunner().invoke(app, ["matter", "list", "--no-such-option", "--help"]).exit_code == 2
    assert CliRunner().invoke(app, ["no-such-command", "--help"]).exit_code == 2


def test_every_setting_exists() -> None:
    known = {f"DOCPROC_{name.upper()}" for name in Settings.model_fields}
    used = {name for item in ours().values() for name in item["environment"]}
    used |= set(re.findall(r"\bDOCPROC_\w+", (ROOT / "Dockerfile").read_text()))
    assert used
    assert used <= known


def test_only_the_sealer_can_read_the_keys() -> None:
    with_keys = {
        name for name, item in services().items() if any(re.match("keys:", line) for line in item.get("volumes", []))
    }
    assert with_keys == {"sealer", "dev-keys"}
    assert services()["dev-keys"]["profiles"] == ["dev"]
    assert services()["sealer"]["volumes"][0].endswith(":ro")
    assert services()["sealer"]["command"][-2:] == ["--queues", "seal"]


def test_each_role_has_its_own_process_key_and_no_other_can_read_it() -> None:
    holders = {
        volume: {
            name for name, item in services().items() if any(re.match(volume, line) for line in item.get("volumes", []))
        }
        for volume in ("web-key:", "sealer-key:", "reader-key:")
    }
    assert holders == {
        "web-key:": {"web", "process-keys"},
        "sealer-key:": {"sealer", "process-keys"},
        "reader-key:": {"reader-1", "reader-2", "process-keys"},
    }
    assert services()["process-keys"]["restart"] == "no" and "ports" not in services()["process-keys"]
    for name in ("web", "sealer", "reader-1", "reader-2"):
        assert services()[name]["depends_on"]["process-keys"] == {"condition": "service_completed_successfully"}
    assert "process-keys" not in services()["migrate"]["depends_on"]


def test_each_container_has_the_password_of_its_own_role_in_the_database_alone() -> None:
    known = {"web": {"WEB"}, "reader-1": {"READER"}, "reader-2": {"READER"}, "sealer": {"SEALER"}}
    known["migrate"] = {"POSTGRES", "WEB", "READER", "SEALER", "AUDITOR"}
    for name, item in ours().items():
        used = set(re.findall(r"\$\{([A-Z]+)_PASSWORD", str(item["environment"])))
        assert used - {"MINIO"} == known.get(name, set()), name
        if name in known:
            role = {"migrate": "docproc", "reader-1": "docproc_reader", "reader-2": "docproc_reader"}
            expected = role.get(name, f"docproc_{name}")
            assert f"//{expected}:" in item["environment"]["DOCPROC_DATABASE_URL"]


def test_a_newer_version_adds_its_passwords_to_the_env_file_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    script = shutil.copy2(ROOT / "scripts" / "compose-env", tmp_path / "scripts")
    file = tmp_path / ".env"
    file.write_text("POSTGRES_PASSWORD=kept\nMINIO_PASSWORD=kept\nPUBLIC_URL=https://kept")
    file.chmod(0o644)
    for _ in range(2):
        subprocess.run([script], check=True, capture_output=True)
    lines = [line.split("=", 1) for line in file.read_text().splitlines()]
    assert len(lines) == 7 and file.stat().st_mode & 0o777 == 0o600
    assert [value for _, value in lines[:3]] == ["kept", "kept", "https://kept"]
    assert {name for name, value in lines if len(value) == 48} == {
        f"{r}_PASSWORD" for r in ("WEB", "READER", "SEALER", "AUDITOR")
    }


def test_our_containers_cannot_write_their_root_nor_gain_rights() -> None:
    assert len(ours()) == 7
    for item in ours().values():
        assert item["read_only"] is True
        assert item["cap_drop"] == ["ALL"]
        assert item["security_opt"] == ["no-new-privileges:true"]
    assert re.search(r"^USER 10001:10001$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def test_the_web_process_believes_the_proxy_and_nobody_else() -> None:
    proxy, web = services()["proxy"], services()["web"]
    trusted = networks(web["environment"]["DOCPROC_TRUSTED_PROXIES"])
    assert [str(network) for network in trusted] == [proxy["networks"]["front"]["ipv4_address"] + "/32"]
    assert {name for name, item in services().items() if "front" in item.get("networks", [])} == {"web", "proxy"}
    assert web["networks"]["front"]["ipv4_address"] != proxy["networks"]["front"]["ipv4_address"]
    file = (ROOT / "deploy/nginx/nginx.conf").read_text()
    assert "server web:8000;" in file and "proxy_set_header X-Forwarded-For $remote_addr;" in file
    assert all(f"listen {port.split(':')[1]}" in file for port in proxy["ports"])


def test_workers_have_names_of_their_own_and_all_queues_are_served() -> None:
    workers = [item["command"] for item in ours().values() if item["command"][0] == "worker"]
    assert len({command[2] for command in workers}) == len(workers) == 3
    assert {queue for command in workers for queue in command[4].split(",")} == {"read", "check", "notify", "seal"}


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_everything_that_an_image_copies_is_there_and_in_the_build_context(dockerfile: str) -> None:
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    sources = []
    for line in (ROOT / dockerfile).read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            sources += line.split()[1:-1]
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert any(source == item or fnmatch(source, f"{item}/*") for item in allowed), source
