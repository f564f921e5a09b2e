"""Run an image's commands as its container would, without a container engine.

The root is an overlay of what the Dockerfile puts into the image over this machine's own programs, and nobody can write
it; the process is the image's user without any capability, in a network of its own, with the environment that is given
and no other. What building steps make (an environment of Python, programs, weights) is taken from this checkout.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.processes import Host

ROOT = Path(__file__).resolve().parents[2]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
Words = list[str]


@dataclass(slots=True)
class Image:
    """What the last stage of a Dockerfile says, and where its files lie on this machine."""

    tree: Path
    """The folder that the building stage copied its sources into."""
    made: tuple[str, ...]
    """What its steps make beside them."""
    env: dict[str, str] = field(default_factory=lambda: {"PATH": PATH, "HOME": "/"})
    user: str = "0:0"
    workdir: str = "/"
    entrypoint: Words = field(default_factory=list)
    command: Words = field(default_factory=list)
    healthcheck: Words = field(default_factory=list)
    copied: dict[str, str] = field(default_factory=dict)
    """Places in the image, and what of ``tree`` lies there."""
    volumes: Words = field(default_factory=list)


def instructions(dockerfile: Path) -> Iterator[tuple[str, str]]:
    """Each instruction with what stands after it, continued lines joined."""
    text = re.sub(r"^#.*\n", "", dockerfile.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    for line in filter(None, map(str.strip, text.splitlines())):
        word, _, rest = line.partition(" ")
        yield word, rest.strip()


def read_image(dockerfile: Path, tree: Path, *made: str) -> Image:
    """Copy into an empty folder what the first stage copies, and read what the last one says."""
    image, stage, home = Image(tree, made), 0, "/"
    for word, rest in instructions(dockerfile):
        if word == "FROM":
            stage += 1
        elif stage == 1 and word == "WORKDIR":
            home = rest
        elif stage == 1 and word == "COPY":
            *sources, target = rest.split()
            for source in sources:
                _copy(ROOT / source, tree / target, target.endswith("/"))
        elif stage == 2:
            _last_stage(image, home, word, rest)
    for name in made:
        (tree / name).mkdir(parents=True, exist_ok=True)
    return image


def _last_stage(image: Image, home: str, word: str, rest: str) -> None:
    match word:
        case "ENV":
            for name, value in (pair.split("=", 1) for pair in shlex.split(rest)):
                image.env[name] = value.replace("$PATH", image.env["PATH"])
        case "USER":
            image.user = rest
        case "WORKDIR":
            image.workdir = rest
        case "ENTRYPOINT":
            image.entrypoint = json.loads(rest)
        case "CMD":
            image.command = json.loads(rest)
        case "HEALTHCHECK":
            image.healthcheck = json.loads(rest.partition("CMD ")[2])
        case "VOLUME":
            image.volumes.append(rest)
        case "COPY" if rest.startswith("--from="):
            source, target = rest.split()[1:]
            image.copied[target] = source.removeprefix(home).lstrip("/")


def _copy(source: Path, target: Path, into: bool) -> None:
    target = target / source.name if into else target
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)


@dataclass(slots=True)
class Container:
    """One container of an image."""

    image: Image
    host: Host
    box: Path
    """An empty folder that the container is put together in."""
    command: Words
    env: Mapping[str, str]
    volumes: Mapping[str, tuple[Path, bool]]
    """What lies at a place, and whether it is read-only."""
    hosts: Path
    """The file with the names of the others."""

    def run(self) -> Words:
        """The command that runs it; it keeps its process id, so that signals reach the program itself."""
        root = self.box / "root"
        entry = ["chroot", root, *self._as_user([*self.image.entrypoint, *self.command])]
        script = "\n".join(["set -e", *self._mounts(root), f"exec {_line(entry)}"])
        return self.host.command(["unshare", "--mount", "--", "sh", "-c", script])

    def inside(self, pid: int, words: Sequence[str]) -> Words:
        """The command that runs another one in it."""
        enter = ["nsenter", f"--target={pid}", "--mount", "--net", "--root", "--"]
        return [*enter, *self._as_user(words)]

    def _as_user(self, words: Sequence[str]) -> Words:
        uid, gid = self.image.user.split(":")
        rights = ["--clear-groups", "--no-new-privs", "--bounding-set=-all"]
        variables = [f"{name}={value}" for name, value in (self.image.env | dict(self.env)).items()]
        user = ["setpriv", f"--reuid={uid}", f"--regid={gid}", *rights]
        return [*user, "env", "--ignore-environment", f"--chdir={self.image.workdir}", *variables, *words]

    def _mounts(self, root: Path) -> Iterator[str]:
        """Lines that put the root together; the layer lies in memory, for it cannot lie in what it is laid over."""
        tree, layer, box = self.box / "tree", self.box / "layer", self.box
        there = {target: (tree / source, True) for target, source in self.image.copied.items()}
        python = {sys.base_prefix: (Path(sys.base_prefix), True), str(ROOT): (tree, True)}
        places = {**there, **python, **self.volumes}
        yield _line(["mount", "-t", "tmpfs", "tmpfs", box])
        yield _line(["mkdir", tree, layer, root])
        yield _line(["mount", "--bind", self.image.tree, tree])
        for name in self.image.made:
            yield _line(["mount", "--bind", (ROOT / name).resolve(), tree / name])
        for target, (source, _) in places.items():
            yield _point(layer / target.lstrip("/"), source)
        yield _line(["mount", "-t", "overlay", "image", "-o", f"lowerdir={layer}:/", root])
        for name in ("proc", "dev", "sys"):
            yield _line(["mount", "--rbind", f"/{name}", root / name])
        yield _line(["mount", "--bind", self.hosts, root / "etc/hosts"])
        yield _line(["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", root / "tmp"])
        for target, (source, read_only) in places.items():
            point = root / target.lstrip("/")
            if target.startswith("/tmp/"):  # an empty folder by now
                yield _point(point, source)
            yield _line(["mount", "--rbind", source, point])
            if read_only:
                yield _line(["mount", "-o", "remount,bind,ro", point])


def _point(point: Path, source: Path) -> str:
    """The line that makes what a source can be mounted on."""
    folder = f"test -d {shlex.quote(str(source))} && mkdir -p {shlex.quote(str(point))}"
    return f"{folder} || {{ {_line(['mkdir', '-p', point.parent])}; {_line(['touch', point])}; }}"


def _line(words: Sequence[str | Path]) -> str:
    return shlex.join(map(str, words))
