"""Differences between formats: which attributes come, go or change, and whether it is numbered."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.contracts.changes import FORMAT, Difference

Formats = Mapping[str, Any]
MEND = "Write it as before"
STAYS = (
    "What is stored keeps its old form for as long as it lives, and during a deploy the version "
    "before reads what this one writes."
)


def differences(before: Formats, after: Formats) -> Iterator[Difference]:
    """All that is not as it was."""
    for kind in sorted({*before, *after}):
        if kind not in after:
            says = f"the format of a {kind} is gone: what is stored of it is read by no code."
            yield Difference(f"{FORMAT} of a {kind}: gone", says, MEND)
        elif kind not in before:
            says = f"the format of a {kind} is new: it is a promise from now on."
            yield Difference(f"{FORMAT} of a {kind}: new", says, "Leave it out")
        else:
            was, now = _attributes(before[kind]), _attributes(after[kind])
            for name in sorted({*was, *now}):
                old, new = was.get(name, "absent"), now.get(name, "absent")
                if old != new:
                    what = f"{FORMAT} of a {kind}, {name}: {old} -> {new}"
                    says = f"the format of a {kind} is another: {name} was {old} and is {new}."
                    yield Difference(what, f"{says} {STAYS}", MEND)


def misnumbered(before: Formats, after: Formats) -> list[str]:
    """A sentence for each kind whose version does not say whether its format has changed."""
    found = []
    for kind in sorted({*before} & {*after}):
        was, now = before[kind]["version"], after[kind]["version"]
        changed = _attributes(before[kind]) != _attributes(after[kind])
        if changed and now != was + 1:
            found.append(
                f"claude_core/stored_versions.py: the format of a {kind} has changed since the "
                f"newest snapshot, and its version is {now}: make it {was + 1}."
            )
        elif not changed and now != was:
            found.append(
                f"claude_core/stored_versions.py: the version of a {kind} is {now}, and its format "
                f"is that of {was}: make it {was}, or add what it counts to what is recorded."
            )
    return found


def _attributes(format: Mapping[str, Any]) -> dict[str, str]:
    """By name; of those that some rows lack it says so."""
    return {
        name.removesuffix("?"): f"{form}, in some" if name.endswith("?") else str(form)
        for name, form in format["attributes"].items()
    }
