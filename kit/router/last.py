"""The last run, kept for the next one to be held against."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from claude_core.wire import Json
from kit.say import Stop
from local.paths import STATE

FOLDER = STATE / "router"
NAMED = "began_at", "table", "classifier"


def place(questions: Path, *of: str) -> Path:
    """Where runs on a file are kept.

    Args:
        of: what makes another series of it, such as the split and the environment.
    """
    series = "\n".join([str(questions.resolve()), *of])
    return FOLDER / f"{questions.stem}-{hashlib.sha256(series.encode()).hexdigest()[:12]}.json"


def load(path: Path, *, classifier: str) -> Json | None:
    """The run that a file holds; None: there is no such file.

    Raises:
        Stop: it is something else, or a run of another classifier.
    """
    try:
        found: Any = json.loads(path.read_bytes())
        if not all(isinstance(found["run"][name], str) for name in NAMED):
            raise TypeError
        right(found)
    except FileNotFoundError:
        return None
    except OSError as err:
        raise Stop(f"{path}: cannot be read: {err.strerror}", code=2) from err
    except (ValueError, LookupError, TypeError) as err:
        raise Stop(f"{path}: is no run of kit router eval; name another file", code=2) from err
    if (before := found["run"]["classifier"]) != classifier:
        raise Stop(
            f"{path}: is a run of another classifier ({before}, and this one is {classifier}): to "
            "compare them says nothing; name another file",
            code=2,
        )
    return dict(found)


def right(run: Json) -> dict[str, bool]:
    """Whether it was right, by the question's key."""
    return {str(one["key"]): bool(one["right"]) for one in run["questions"]}


def write(path: Path, text: str) -> None:
    """A file that is there whole, or as it was before.

    Raises:
        Stop: it cannot be written.
    """
    partly = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partly.write_text(text, encoding="utf-8")
        partly.replace(path)
    except OSError as err:
        raise Stop(f"{path}: cannot be written: {err.strerror}", code=2) from err
    finally:
        with suppress(OSError):
            partly.unlink(missing_ok=True)
