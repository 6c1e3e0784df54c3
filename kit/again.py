"""A command as somebody could have typed it, to be given again."""

import shlex
from pathlib import Path

FEW = 3
"""Files that are named one by one."""
NEVER_SAID = "--key"


def again(arguments: list[str], files: list[str]) -> str:
    """The command line without a key in it, and with the shell's pattern instead of what it made
    of it.

    Args:
        arguments: without the program's name.
        files: those of them that name documents.
    """
    kept, skip = list[str](), False
    for one in arguments:
        if not skip and one != NEVER_SAID and not one.startswith(f"{NEVER_SAID}="):
            kept.append(one)
        skip = one == NEVER_SAID and not skip
    patterns = _patterns(files)
    shown = ["kit"]
    for one in kept:
        pattern = patterns.get(one)
        if pattern is None or pattern not in shown:
            shown.append(pattern or shlex.quote(one))
    return " ".join(shown)


def _patterns(files: list[str]) -> dict[str, str]:
    """For each file of a whole group of them, the pattern that stands for the group."""
    groups: dict[tuple[Path, str], list[str]] = {}
    for name in files:
        groups.setdefault((Path(name).parent, Path(name).suffix), []).append(name)
    found: dict[str, str] = {}
    for (folder, suffix), names in groups.items():
        there = [one for one in folder.glob(f"*{suffix}") if not one.name.startswith(".")]
        if suffix and len(names) > FEW and {*map(Path, names)} == {*there}:
            parent = "" if folder == Path() else f"{shlex.quote(str(folder))}/"
            found |= dict.fromkeys(names, f"{parent}*{suffix}")
    return found
