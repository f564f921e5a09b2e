"""Add what is no Python package to a bill of materials, and check it against the schema of CycloneDX: FILE."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parents[1]


def manifest_files() -> list[dict[str, Any]]:
    """Weights and fonts with their hashes and licences."""
    manifest = tomllib.loads((ROOT / "models/manifest.toml").read_text())
    return [
        {
            "type": "machine-learning-model" if item["path"].endswith(".onnx") else "file",
            "bom-ref": f"models/{item['path']}",
            "name": item["name"],
            "description": item["path"],
            "hashes": [{"alg": "SHA-256", "content": item["sha256"]}],
            "licenses": [{"license": {"name": item["licence"]}}],
        }
        for item in manifest["file"]
    ]


def system_packages() -> list[dict[str, Any]]:
    """Debian packages that run with the service; the base image says their versions."""
    found = re.search(r"set -- (.+)", (ROOT / "scripts/packages").read_text())
    assert found, "scripts/packages names its packages after `set --`"
    return [
        {"type": "library", "bom-ref": f"debian/{name}", "name": name, "purl": f"pkg:deb/debian/{name}?distro=bookworm"}
        for name in found[1].split()
    ]


def main() -> None:
    """Complete the bill and refuse one that the schema refuses."""
    path = Path(sys.argv[1])
    bill = json.loads(path.read_text())
    packages = [item["name"] for item in bill["components"]]
    bill["components"] += manifest_files() + system_packages()
    text = json.dumps(bill, indent=1, ensure_ascii=False)
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if problem is not None:
        sys.exit(f"{path} is no CycloneDX: {problem}")
    path.write_text(text + "\n")
    print(f"{path}: {len(bill['components'])} components, {len(packages)} of them Python packages")


if __name__ == "__main__":
    main()
