"""Modules that are not run yet, and names in them that become the real thing when they are used."""

import importlib
import threading
from collections.abc import Callable
from functools import partial
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


class Light:
    """Whether the light import is under way: only then do stand-ins take the place of types."""

    on = False


_running = set[tuple[str, int]]()
"""Packages with the threads that run them. Two may run one: all that an `__init__` does is import,
which Python locks by itself. A lock of ours around it would wait for those, and they for it."""


class Package(ModuleType):
    """A package whose `__init__` runs when a name is asked for that only it can give."""

    def __getattr__(self, name: str) -> Any:
        if Light.on:
            raise AttributeError(name)
        once = (self.__name__, threading.get_ident())
        if type(self) is not ModuleType and once not in _running:
            _running.add(once)  # an import in a circle sees it as any unfinished package
            try:
                vars(self)["__loader__"].exec_module(self)
                self.__class__ = ModuleType  # type: ignore[assignment]
            finally:
                _running.discard(once)
        return ModuleType.__getattribute__(self, name)

    def __dir__(self) -> list[str]:
        getattr(self, "__all__", None)
        return list(super().__dir__())


class Types(Package):
    """A package of types."""

    def __getattr__(self, name: str) -> Any:
        if Light.on and not name.startswith("__") and not self._has_module(name):
            return Later(partial(_find, self.__name__, name))
        return super().__getattr__(name)

    def _has_module(self, name: str) -> bool:
        return PathFinder.find_spec(f"{self.__name__}.{name}", self.__path__) is not None


class Leaf(ModuleType):
    """A module of types. It is in the way once the light import is over, and is taken out then."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Later(partial(_find, self.__name__, name))


class Later:
    """One type; what is done with it is done to the real one, found at that moment."""

    def __init__(self, real: Callable[[], Any]) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real(), name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._real()(*args, **kwargs)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, self._real())

    def __subclasscheck__(self, subclass: type) -> bool:
        return issubclass(subclass, self._real())

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any]:
        return (self._real(),)

    def __getitem__(self, item: Any) -> "Later":
        return Later(lambda: self._real()[item])

    def __or__(self, other: Any) -> "Later":
        return Later(lambda: self._real() | (other._real() if type(other) is Later else other))

    def __ror__(self, other: Any) -> "Later":
        return Later(lambda: other | self._real())


def _find(module: str, name: str) -> Any:
    if Light.on:
        raise ImportError(f"{module}.{name} is needed at once")
    return getattr(importlib.import_module(module), name)


class Deferring(Loader):
    """Makes a module of one of the kinds above, and leaves it unrun."""

    def __init__(self, kind: type[ModuleType], real: Loader) -> None:
        self._kind, self._real = kind, real

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._kind(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        spec: Any = module.__spec__
        spec.loader = module.__loader__ = self._real
