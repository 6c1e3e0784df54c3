"""Places in an item: written without touching the item that it was copied from."""

from tests.cloud.refusing import refused
from tests.cloud.tokens import Path
from tests.cloud.values import Item, Value, measure, text_size


def put(item: Item, path: Path, value: Value) -> int:
    """Set it; the bytes that the item has more."""
    holder, name, extra = _holder(item, path)
    old = holder.get(name)
    holder[name] = value
    return measure(value) + (extra if old is None else -measure(old))


def remove(item: Item, path: Path) -> int:
    """Drop it, if it is there; the bytes that the item has more."""
    holder, name, extra = _holder(item, path)
    old = holder.pop(name, None)
    return 0 if old is None else -measure(old) - extra


def pick(item: Item, paths: list[Path]) -> Item:
    """What of it lies at some places, at those places."""
    picked: Item = {}
    for path in paths:
        found: Value | None = {"M": item}
        for part in path:
            found = found.get("M", {}).get(part) if found else None
        if found is None:
            continue
        holder = picked
        for part in path[:-1]:
            holder = holder.setdefault(part, {"M": {}})["M"]
        holder[path[-1]] = found
    return picked


def _holder(item: Item, path: Path) -> tuple[Item, str, int]:
    """The map that holds the last name, copied on the way; the name, and what it weighs."""
    if len(path) == 1:
        return item, path[0], text_size(path[0])
    for part in path[:-1]:
        held = item.get(part)
        if held is None or "M" not in held:
            message = "The document path provided in the update expression is invalid for update"
            raise refused("ValidationException", message)
        copied = dict(held["M"])
        item[part] = {"M": copied}
        item = copied
    return item, path[-1], text_size(path[-1]) + 1
