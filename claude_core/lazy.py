"""The import of the `anthropic` SDK: its client and its errors, without the other 2,400 types.

`from anthropic import AsyncAnthropic` runs all of the SDK, because the `__init__` of `anthropic`
and of each package in `anthropic.types` imports everything below it. Here these packages are put
into `sys.modules` without running their `__init__`, and then the modules that the kit needs are
imported from them. The `__init__` runs later, when code asks a package for a name that it lacks:
`import anthropic` gives the whole SDK as always. If an SDK release does not fit, the SDK is
imported plainly, and a warning and a metric say so (docs/decisions/0004-light-sdk.md).
"""

import importlib
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from threading import get_ident
from types import ModuleType
from typing import TYPE_CHECKING, Any

from claude_core import startup_warnings

SDK, TRACING = "anthropic", "anthropic.lib._tracing"
NEEDED = {
    "anthropic._client": ("AsyncAnthropic",),
    "anthropic._base_client": ("DefaultAioHttpClient",),
    "anthropic._streaming": ("AsyncStream",),
    "anthropic._exceptions": ("APIStatusError",),
}
"""The names that `claude_core` uses, by the module that defines them."""
FALLBACKS = "sdk_fallbacks"
"""The metric of processes that imported the whole SDK."""

_running = set[tuple[str, int]]()
"""Packages whose `__init__` runs now, each with the thread that runs it."""


class DeferredPackage(ModuleType):
    """A package whose `__init__` runs at the first name that the package lacks."""

    def __getattr__(self, name: str) -> Any:
        # Two threads may both run an `__init__`: it only imports, and Python locks each import. A
        # lock here could wait for a thread that holds one of those, and that thread for this one.
        turn = (self.__name__, get_ident())
        if turn not in _running:
            _running.add(turn)
            try:
                vars(self)["__spec__"].loader.exec_module(self)
                module: ModuleType = self
                module.__class__ = ModuleType
            finally:
                _running.discard(turn)
        return ModuleType.__getattribute__(self, name)

    def __dir__(self) -> list[str]:
        getattr(self, "__all__", None)
        return list(ModuleType.__dir__(self))


def load() -> ModuleType:
    """Import the SDK, without its types where that works."""
    if SDK not in sys.modules:
        try:
            return _import_needed()
        except Exception as err:
            for name in [name for name in sys.modules if name.split(".")[0] == SDK]:
                del sys.modules[name]
            return _import_whole(f"{type(err).__name__}: {err}")
    return importlib.import_module(SDK)


def _import_needed() -> ModuleType:
    spec = find_spec(SDK)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(SDK)
    root = Path(spec.origin).parent
    types = sorted(init.parent for init in root.glob("types/**/__init__.py"))  # parents first
    folders = (root, root / "lib" / "_tracing", *types)
    sdk, tracing, *_ = deferred = [_add(folder, root.parent) for folder in folders]
    # The client calls one of these two names when it is made, and the other in traced calls only.
    config = importlib.import_module(f"{TRACING}._config").OpenTelemetryConfig
    vars(tracing).update(OpenTelemetryConfig=config, finish_api_call_span=_finish_api_call_span)
    for home, names in NEEDED.items():
        module = importlib.import_module(home)
        vars(sdk).update({name: getattr(module, name) for name in names})
    for package in deferred:
        package.__class__ = DeferredPackage
    return sdk


def _add(folder: Path, site: Path) -> ModuleType:
    """Put a package into `sys.modules` and into its parent; do not run it."""
    name = ".".join(folder.relative_to(site).parts)
    init, places = folder / "__init__.py", [str(folder)]
    spec = spec_from_file_location(name, init, submodule_search_locations=places)
    if spec is None:
        raise ModuleNotFoundError(name)
    sys.modules[name] = module = module_from_spec(spec)
    parent, _, last = name.rpartition(".")
    if parent:
        setattr(importlib.import_module(parent), last, module)
    return module


def _finish_api_call_span(*arguments: Any) -> None:
    """Called for traced calls of the SDK's own methods; the kit makes none."""
    importlib.import_module(f"{TRACING}._api_call").finish_api_call_span(*arguments)


def _import_whole(reason: str) -> ModuleType:
    sdk = importlib.import_module(SDK)
    startup_warnings.add(
        "the whole Claude SDK was imported: a cold start takes two to three times the CPU",
        metric=FALLBACKS,
        sdk_version=sdk.__version__,
        reason=reason,
    )
    return sdk


if TYPE_CHECKING:
    import anthropic as anthropic
else:
    anthropic = load()
