"""Handwriting-like fonts for the samples: fetched with npm, merged to one TTF each, never committed.

Run ``python -m samples.fonts``. Packages are named with version and sha256 and
come through npm's own configuration. Fonts are split in two: what the reader is
tuned on, and what it is measured on.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fontTools.merge import Merger
from fontTools.ttLib import TTFont

from docproc.assets import paths as assets
from docproc.errors import SetupError

FOLDER = Path(__file__).parent / "fonts"
WENKAI = (
    Path("/usr/share/fonts/truetype/lxgw-wenkai/LXGWWenKai-Regular.ttf"),
    Path("/usr/share/fonts/truetype/lxgw-wenkai/LXGWWenKai-Light.ttf"),
)
"""Where Debian's fonts-lxgw-wenkai puts it."""

TUNING_FONTS = ("long-cang", "ma-shan-zheng", "noto-serif", "noto-sans")
"""Fonts that a reader may be tuned on."""
HELD_OUT_FONTS = ("zhi-mang-xing", "liu-jian-mao-cao", "lxgw-wenkai")
"""Fonts that only a measurement may use."""
HANDWRITING = frozenset({"long-cang", "ma-shan-zheng", "zhi-mang-xing", "liu-jian-mao-cao"})


@dataclass(frozen=True, slots=True)
class Package:
    """One pinned npm package (SIL OFL 1.1) and the hash of its archive."""

    name: str
    version: str
    sha256: str


PACKAGES = (
    Package("long-cang", "5.3.0", "f37d7fc6e0ed15718e03fe9edd5f8b0117d6d011d23c15bf2d35b7b00f9c4e26"),
    Package("zhi-mang-xing", "5.3.0", "903fe57d53c97001563dfa380e91c3ceaacc2f65485f93c4741d34470aedb0b9"),
    Package("ma-shan-zheng", "5.3.1", "f441a8e137c210da78e8a287616227b11771ff8bbc4a6e506a0f5f84790ca272"),
    Package("liu-jian-mao-cao", "5.3.0", "bbffc6b7e13b1e10eff328df1d9b16ba2697b6237b34b67e9aa0450fb0b9a621"),
)


@lru_cache
def font_path(name: str) -> Path | None:
    """The file of a font, or ``None`` where it has not been fetched or installed."""
    if name == "noto-serif":
        return assets.font(assets.SERIF)
    if name == "noto-sans":
        return assets.font(assets.SANS)
    paths = WENKAI if name == "lxgw-wenkai" else (FOLDER / f"{name}.ttf",)
    return next((path for path in paths if path.is_file()), None)


def available(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the fonts that are on this machine, in order."""
    return tuple(name for name in names if font_path(name) is not None)


def signing_font(name: str, rng: random.Random) -> str:
    """The hand in which somebody signs who fills forms in this font: print is not signed with."""
    hands = [font for font in available(TUNING_FONTS) if font in HANDWRITING]
    return name if name in HANDWRITING or not hands else rng.choice(hands)


@lru_cache
def characters(name: str) -> frozenset[int]:
    """Code points that a font can draw; a handwriting font lacks rare characters."""
    path = font_path(name)
    if path is None:
        return frozenset()
    with TTFont(path, lazy=True) as font:
        return frozenset(font.getBestCmap())


def fetch(folder: Path = FOLDER) -> list[Path]:
    """Fetch, check and merge every font that is not there yet.

    Raises:
        SetupError: npm is missing or failed, or an archive's hash differs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for package in PACKAGES:
        target = folder / f"{package.name}.ttf"
        if not target.is_file():
            with tempfile.TemporaryDirectory() as scratch:
                part = merge(unpack(pack(package, Path(scratch)), Path(scratch)), Path(scratch) / "merged.ttf")
                shutil.move(part, target.with_suffix(".part"))
            target.with_suffix(".part").rename(target)
        made.append(target)
    return made


def pack(package: Package, folder: Path) -> Path:
    """Have npm fetch the package's archive, and check its hash."""
    npm = shutil.which("npm")
    if npm is None:
        raise SetupError(
            "npm is not installed; install Node.js, or go on with the printed fonts of `docproc models fetch`"
        )
    wanted = f"@fontsource/{package.name}@{package.version}"
    done = subprocess.run(
        [npm, "pack", "--silent", "--ignore-scripts", wanted], cwd=folder, capture_output=True, text=True, check=False
    )
    archive = folder / f"fontsource-{package.name}-{package.version}.tgz"
    if done.returncode != 0 or not archive.is_file():
        raise SetupError(f"npm could not fetch {wanted}: {done.stderr.strip()[-300:]}; check npm's configuration")
    return checked(archive, package.sha256)


def checked(archive: Path, sha256: str) -> Path:
    """The archive, if it is the one that was pinned.

    Raises:
        SetupError: its hash differs.
    """
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != sha256:
        raise SetupError(f"{archive.name} has sha256 {found}, expected {sha256}; do not use it")
    return archive


def unpack(archive: Path, folder: Path) -> list[Path]:
    """Turn the archive's woff2 subsets into TTF files."""
    found = []
    with tarfile.open(archive) as packed:
        names = sorted(m.name for m in packed.getmembers() if m.name.endswith("-400-normal.woff2"))
        for name in names:
            stream = packed.extractfile(name)
            if stream is None:
                continue
            font = TTFont(stream, recalcTimestamp=False)
            font.flavor = None
            for tag in ("GSUB", "GPOS", "GDEF", "DSIG"):
                if tag in font:
                    del font[tag]
            path = folder / f"{Path(name).stem}.ttf"
            font.save(path)
            found.append(path)
    return found


def merge(parts: list[Path], target: Path) -> Path:
    """Merge subsets of one font to one file."""
    Merger().merge([str(p) for p in parts]).save(target)
    return target


def main() -> int:
    """Fetch the fonts and name them."""
    try:
        for path in fetch():
            print(path.relative_to(FOLDER.parent.parent))
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
