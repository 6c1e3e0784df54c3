"""Lambda bundles without Docker: uv installs the locked wheels of the target's Python."""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

import jsii
from aws_cdk import (
    Annotations,
    AssetHashType,
    BundlingOptions,
    DockerImage,
    ILocalBundling,
    Stack,
)
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.config import Config, Target
from stacks.parts import wheels
from stacks.parts.bytecode import compile_all, target_python

ROOT = Path(__file__).parents[2]
SKIPPED = ("__pycache__", "*.pyc", "*.md", "*.in", "*.lock", "Dockerfile")
UNUSED = {"service_src": ("claude_core/jobs", "service_src/page")}
"""Of the core, what a package has no use for: each cold start reads the whole bundle."""
Files = Mapping[str, Path]
"""What else a bundle holds: paths in it, and where each comes from."""
NONE: Files = {}
LOCK = "requirements.lock"


def lambda_code(
    scope: Construct, package: str, config: Config, files: Files = NONE
) -> lambda_.Code:
    """The code of one edge package: itself, the core, its locked dependencies, all compiled.

    Where the target's Python is not to be had the bundle goes without bytecode, and the stack says
    so; in an environment that must start fast that is an error.
    """
    target, python = config.lambda_target, None
    if Stack.of(scope).bundling_required:
        python = target_python(target.python)
        if python is None:
            say = Annotations.of(scope)
            (say.add_error if config.bytecode_required else say.add_info)(
                f"no Python {target.python} to compile the bundle with: cold starts take twice the "
                f"time; run: uv python install {target.python}, or set TARGET_PYTHON"
            )
    return lambda_.Code.from_asset(
        str(ROOT / package),
        asset_hash=bundle_hash(package, target, files, bytecode=python is not None),
        asset_hash_type=AssetHashType.CUSTOM,
        bundling=BundlingOptions(
            image=DockerImage.from_registry("not-used"),
            local=_Local(package, target, python, files),
        ),
    )


def bundle_hash(
    package: str, target: Target, files: Files = NONE, *, bytecode: bool = False
) -> str:
    """A name for what is in a bundle: sources, lock, target Python, and whether bytecode is in."""
    digest = hashlib.sha256(f"{target} {bytecode}".encode())
    for name, source in _sources(package, files).items():
        digest.update(f"\0{name}\0".encode() + source.read_bytes())
    for path in (ROOT / package / LOCK, *wheels.MAKERS):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def bundle(
    package: str,
    target: Target,
    out: Path,
    python: Path | None = None,
    files: Files = NONE,
) -> None:
    """Write a bundle to `out`, with bytecode if there is the target's `python` to compile it.

    Raises:
        RuntimeError: uv could not install the lock; its own words say why.
    """
    wheels.put(ROOT / package / LOCK, target, out, python)
    own = _sources(package, files)
    for name, source in own.items():
        copy = out / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)  # its mode too: the streaming function starts a script
    if python:
        compile_all(out, python, sorted({Path(name).parts[0] for name in own}))


def _sources(package: str, files: Files) -> dict[str, Path]:
    """By path in the bundle, in an order that is the same everywhere."""
    found = [path for part in ("claude_core", package) for path in (ROOT / part).rglob("*")]
    unused = {ROOT / path for path in UNUSED.get(package, ())}
    own = sorted(
        path
        for path in found
        if path.is_file()
        and unused.isdisjoint(path.parents)
        and not any(path.match(skip) for skip in SKIPPED)
        and "__pycache__" not in path.parts
    )
    return {**{str(path.relative_to(ROOT)): path for path in own}, **files}


@jsii.implements(ILocalBundling)
class _Local:
    def __init__(self, package: str, target: Target, python: Path | None, files: Files) -> None:
        self._package, self._target, self._python, self._files = package, target, python, files

    def try_bundle(self, output_dir: str, *_: object, **__: object) -> bool:
        bundle(self._package, self._target, Path(output_dir), self._python, self._files)
        return True
