"""A base image made from Debian's packages, where no registry is asked for one."""

import os
import subprocess
from pathlib import Path

NAME = "docker.io/library/python:3.13-slim"
"""What the Dockerfiles begin with; Debian trixie's Python is 3.13 too."""
PACKAGES = "python3,python3-venv,ca-certificates"
BUILD = """
FROM scratch
ADD base.tar /
RUN ["ln", "-s", "/usr/bin/python3", "/usr/local/bin/python"]
"""
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")


def made(folder: Path) -> str:
    """The base's name; it is made if this machine's buildah does not hold it yet.

    Raises:
        subprocess.CalledProcessError: Debian's archive, or buildah, failed; the end of stderr says.
    """
    if subprocess.run(
        ["buildah", "inspect", "--type", "image", NAME], capture_output=True
    ).returncode:
        (folder / "Containerfile").write_text(BUILD)
        archive = str(folder / "base.tar")
        run(
            "mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", "trixie", archive
        )
        run(
            "buildah", "bud", "--format", "docker", "--isolation", "chroot", "-t", NAME, str(folder)
        )
    return NAME


def run(*command: str) -> str:
    """What a program prints; its complaint is the error's message."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:3])} failed: {done.stderr[-2_000:]}")
    return done.stdout


def secrets(folder: Path) -> list[str]:
    """Build secrets: how pip reaches this machine's package index, and whom it believes."""
    env = {"index-url": "PIP_INDEX_URL", "extra-index-url": "PIP_EXTRA_INDEX_URL"}
    lines = [f"{option} = {os.environ[name]}" for option, name in env.items() if name in os.environ]
    (folder / "pip.conf").write_text("\n".join(["[global]", "timeout = 60", *lines, ""]))
    found = ["--secret", f"id=pip,src={folder / 'pip.conf'}"]
    authorities = Path(os.environ.get("SSL_CERT_FILE") or AUTHORITIES)
    return [*found, "--secret", f"id=ca,src={authorities}"] if authorities.exists() else found
