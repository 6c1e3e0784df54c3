"""Lambda bundles without Docker: uv installs the locked wheels of the target's Python."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_
from uv import find_uv_bin

from stacks.config import Target

ROOT = Path(__file__).parents[2]
SKIPPED = ("__pycache__", "*.pyc", "*.md", "requirements.*", "Dockerfile")
LEFT_OUT = ("**/__pycache__", "**/tests", "bin", "*.dist-info/RECORD", "**/*.pyi", ".lock")
"""Parts of wheels that no handler reads."""


def lambda_code(package: str, target: Target) -> lambda_.Code:
    """The code of one edge package: itself, the core, and its locked dependencies."""
    return lambda_.Code.from_asset(
        str(ROOT / package),
        asset_hash=bundle_hash(package, target),
        asset_hash_type=AssetHashType.CUSTOM,
        bundling=BundlingOptions(
            image=DockerImage.from_registry("not-used"), local=_Local(package, target)
        ),
    )


def bundle_hash(package: str, target: Target, *, bytecode: bool = False) -> str:
    """A name for what is in a bundle: sources, lock, target Python, and whether bytecode is in."""
    digest = hashlib.sha256(f"{target} {bytecode}".encode())
    for source in _sources(package):
        digest.update(f"\0{source.relative_to(ROOT)}\0".encode() + source.read_bytes())
    digest.update((ROOT / package / "requirements.lock").read_bytes())
    return digest.hexdigest()


def bundle(package: str, target: Target, out: Path) -> None:
    """Write a bundle to `out`.

    Raises:
        RuntimeError: uv could not install the lock; its own words say why.
    """
    command = [
        *(find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--require-hashes"),
        *("--only-binary", ":all:", "--link-mode", "copy", "--target", str(out)),
        *("--python-version", target.python, "--python-platform", target.platform),
        *("--requirement", str(ROOT / package / "requirements.lock")),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"uv could not bundle {package}: {done.stderr.strip()}")
    for pattern in LEFT_OUT:
        for path in list(out.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for source in _sources(package):
        copy = out / source.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)  # its mode too: the streaming function starts a script


def _sources(package: str) -> list[Path]:
    files = [path for part in ("claude_core", package) for path in (ROOT / part).rglob("*")]
    return sorted(
        path
        for path in files
        if path.is_file()
        and not any(path.match(skip) for skip in SKIPPED)
        and "__pycache__" not in path.parts
    )


@jsii.implements(ILocalBundling)
class _Local:
    def __init__(self, package: str, target: Target) -> None:
        self._package, self._target = package, target

    def try_bundle(self, output_dir: str, *_: object, **__: object) -> bool:
        bundle(self._package, self._target, Path(output_dir))
        return True
