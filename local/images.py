"""What an image would hold and start, without one: read from the assembly and its Dockerfile."""

import hashlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from local.paths import IMAGES


@dataclass(frozen=True, slots=True)
class Image:
    """One image asset."""

    folder: Path
    """The build context as the CDK staged it: only what .dockerignore lets in."""
    lock: Path
    """The lock that the Dockerfile copies and installs."""
    command: list[str]
    env: dict[str, str]
    """Of the last stage, without its PATH."""

    def installed(self) -> Path:
        """A virtual environment that holds the lock for this machine's Python; made once for each.

        Raises:
            subprocess.CalledProcessError: uv could not install the lock; its words are on stderr.
        """
        digest = hashlib.sha256(sys.version.encode() + self.lock.read_bytes()).hexdigest()[:16]
        venv = IMAGES / digest
        if not (stamp := venv / "complete").exists():
            python = venv / "bin" / "python"
            wheels = ("--require-hashes", "--only-binary", ":all:", "--no-deps")
            make = ["venv", "--quiet", "--clear", "--python", sys.executable, str(venv)]
            fill = ["pip", "install", "--quiet", "--python", str(python), *wheels]
            fill += ["--compile-bytecode", "--requirement", str(self.lock)]
            for command in (make, fill):
                subprocess.run([find_uv_bin(), *command], check=True)
            stamp.touch()
        return venv

    def runtime(self) -> dict[str, str]:
        """What the program sees of the image: its environment, its Python first on the path."""
        path = f"{self.installed() / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin"
        return {**self.env, "PATH": path}


def find(assembly: Path, uri: str) -> Image:
    """The image of `assembly` that a task definition names.

    Raises:
        SystemExit: it is not among the assembly's assets, or its Dockerfile starts nothing.
    """
    tag = uri.rsplit(":", 1)[-1]
    for manifest in assembly.glob("*.assets.json"):
        asset = json.loads(manifest.read_text()).get("dockerImages", {}).get(tag)
        if asset:
            source = asset["source"]
            folder = assembly / source["directory"]
            return read(folder, folder / source.get("dockerFile", "Dockerfile"))
    raise SystemExit(f"{uri} is no image of this deployment, and nothing here could pull it")


def read(folder: Path, dockerfile: Path) -> Image:
    """What a Dockerfile of ours says of its last stage."""
    lock: Path | None = None
    command: list[str] = []
    env: dict[str, str] = {}
    for word, rest in _instructions(dockerfile.read_text()):
        if word == "FROM":
            command, env = [], {}
        elif word == "ENV":
            for pair in shlex.split(rest):
                name, _, value = pair.partition("=")
                env[name] = value
        elif word == "CMD":
            command = [str(part) for part in json.loads(rest)]
        elif word == "COPY" and (found := [one for one in rest.split() if one.endswith(".lock")]):
            lock = folder / found[0]
    if not (lock and command):
        raise SystemExit(f"{dockerfile}: needs COPY of a *.lock, and a CMD in brackets")
    env.pop("PATH", None)
    return Image(folder, lock, command, env)


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word:
            yield word.upper(), rest.strip()
