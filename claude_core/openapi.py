"""The description of the HTTP routes, from which each edge serves its own."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("openapi.json")


def document(routes: Iterable[str]) -> bytes:
    """The OpenAPI document of some routes, each as `GET /health`."""
    found: dict[str, Any] = json.loads(FILE.read_bytes())
    wanted = set(routes)
    paths = {
        path: {method: said for method, said in methods.items() if _route(method, path) in wanted}
        for path, methods in found["paths"].items()
    }
    found["paths"] = {path: methods for path, methods in paths.items() if methods}
    return json.dumps(found).encode()


def _route(method: str, path: str) -> str:
    return f"{method.upper()} {path}"
