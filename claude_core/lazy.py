"""The `anthropic` SDK without the types that nobody here uses: a quarter of the CPU of its import.

The plain import runs 2,900 modules, most of them pydantic models of endpoints that the kit never
calls. Here only the client and the exceptions are imported. While that lasts, packages keep their
`__init__` for later, and the names of `anthropic.types` are stand-ins. Whoever asks the SDK for
more afterwards gets it, whole; and if anything is not as expected, it is imported plainly.
"""

import gc
import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING

from claude_core.standins import Deferring, Leaf, Light, Package, Types

SDK, TYPES = "anthropic", "anthropic.types"
NEEDED = {
    "anthropic._client": ("AsyncAnthropic",),
    "anthropic._base_client": ("DefaultAioHttpClient",),
    "anthropic._streaming": ("AsyncStream",),
    "anthropic._exceptions": ("APIStatusError",),
}
"""What `claude_core` uses, and where it is defined. Any other name costs the whole SDK."""


class Finder:
    """On `sys.meta_path` during the light import."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        types = name == TYPES or name.startswith(TYPES + ".")
        if name != SDK and not types:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            package = spec.submodule_search_locations is not None
            kind = (Types if types else Package) if package else Leaf
            spec.loader = Deferring(kind, spec.loader)
        return spec


def load() -> ModuleType:
    """The SDK: light if it lets itself be, else as `import` gives it."""
    if SDK not in sys.modules:
        try:
            with _light():
                found = {home: importlib.import_module(home) for home in NEEDED}
            for home, names in NEEDED.items():
                for name in names:
                    setattr(sys.modules[SDK], name, getattr(found[home], name))
        except Exception:
            # Whatever it was: the plain import works, or says what is wrong in its own words.
            for module in [name for name in sys.modules if name.split(".")[0] == SDK]:
                del sys.modules[module]
    return importlib.import_module(SDK)


@contextmanager
def _light() -> Iterator[None]:
    collecting = gc.isenabled()
    gc.disable()  # an import makes many objects and hardly any garbage
    sys.meta_path.insert(0, Finder)
    Light.on = True
    try:
        yield
    finally:
        Light.on = False
        sys.meta_path.remove(Finder)
        for name, module in list(sys.modules.items()):
            if type(module) is Leaf:
                del sys.modules[name]
                package, _, leaf = name.rpartition(".")
                vars(sys.modules[package]).pop(leaf, None)
        if collecting:
            gc.enable()


if TYPE_CHECKING:
    import anthropic as anthropic
else:
    anthropic = load()
