"""Runs in a fresh process: `sdk_import.py BUNDLE MODULE VARIANT URL KEY`.

Imports the SDK in one of several ways and then a function, from a bundle alone; asks Claude once,
and once more for an error; prints what each step took.
"""

import asyncio
import gc
import importlib
import importlib.util
import json
import resource
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any


class LazyFinder:
    """Applies the standard library's lazy loader to the SDK, or to each of its modules."""

    def __init__(self, *, modules: bool) -> None:
        self._modules = modules

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "anthropic" and not (self._modules and name.startswith("anthropic.")):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


def plain() -> ModuleType:
    return importlib.import_module("anthropic")


def uncollected() -> ModuleType:
    gc.disable()
    sdk = plain()
    gc.freeze()
    gc.enable()
    return sdk


def lazy_package() -> ModuleType:
    sys.meta_path.insert(0, LazyFinder(modules=False))
    return plain()


def lazy_modules() -> ModuleType:
    sys.meta_path.insert(0, LazyFinder(modules=True))
    return plain()


def without_init() -> ModuleType:
    """The modules that the kit needs, in an `anthropic` whose `__init__` never runs."""
    spec = importlib.util.find_spec("anthropic")
    assert spec is not None
    sdk = importlib.util.module_from_spec(spec)
    sys.modules["anthropic"] = sdk
    for home, name in (
        ("_client", "AsyncAnthropic"),
        ("_base_client", "DefaultAioHttpClient"),
        ("_streaming", "AsyncStream"),
        ("_exceptions", "APIStatusError"),
    ):
        setattr(sdk, name, getattr(importlib.import_module(f"anthropic.{home}"), name))
    return sdk


VARIANTS = {
    made.__name__: made for made in (plain, uncollected, lazy_package, lazy_modules, without_init)
}


def use(sdk: ModuleType) -> None:
    """Give the kit this SDK in the place of its own import."""
    lazy: Any = ModuleType("claude_core.lazy")
    lazy.anthropic = sdk
    sys.modules[lazy.__name__] = lazy


class Key:
    """In the place of `claude_core.secret.Secret`, with nothing to read."""

    def __init__(self, key: str) -> None:
        self._key = key

    async def get(self) -> str:
        return self._key


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_mb() -> float:
    """Peak memory. `ru_maxrss` would be the parent's, if that was larger when it forked."""
    status = Path("/proc/self/status")
    if status.exists():
        (peak,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(peak.split()[1]) * 1_024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


async def ask(url: str, key: str) -> dict[str, float]:
    """Ask for an answer and for an error, as a first call does."""
    from claude_core.client import Claude
    from claude_core.errors import KitError
    from claude_core.messages import prompt_request
    from claude_core.retry import RetryBudget
    from claude_core.sdk_options import claude_http

    secret: Any = Key(key)
    async with claude_http() as http:
        claude = Claude(url=url, secret=secret, http=http, retries=RetryBudget())
        deadline = asyncio.get_running_loop().time() + 25
        if not (await claude.ask(prompt_request({"prompt": "hello"}), deadline=deadline)).text:
            raise SystemExit("no answer")
        found = {"answered_s": cpu_s(), "answered_mb": peak_mb()}
        try:
            await claude.ask(prompt_request({"prompt": "[[fake: bad_request]]"}), deadline=deadline)
        except KitError as err:
            if err.upstream_status == 400:
                return found | {"refused_s": cpu_s() - found["answered_s"]}
        raise SystemExit("not the error that was asked for")


def main(bundle: str, module: str, variant: str, url: str, key: str) -> None:
    sys.path.insert(0, bundle)
    if variant != "kit":
        use(VARIANTS[variant]())
    importlib.import_module(module)
    found = {"imported_s": cpu_s(), "imported_mb": peak_mb()}
    print(json.dumps(found | asyncio.run(ask(url, key))), file=sys.stderr)


main(*sys.argv[1:])
