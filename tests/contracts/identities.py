"""Identities of what holds data: by environment and stack, read from the templates."""

from collections.abc import Iterable, Iterator
from typing import Any

from stacks.config import ENVIRONMENTS
from tests.contracts.changes import Difference
from tests.contracts.holders import HOLDERS, LOST, REMOVAL, REPLACED, Aspect
from tests.synth import Template, templates

Identity = dict[str, str]
Identities = dict[str, Any]
"""Of one environment: by stack, its `name`, what it `holds` by logical id, and its `outputs`."""
TYPE = "type"
FOR_STACKS = "PublishOutput"
"""How the outputs begin that CDK itself makes for other stacks of the same deploy."""


def current() -> dict[str, Identities]:
    """By environment, of the stacks as they are now."""
    return {env: identities(templates(env)) for env in ENVIRONMENTS}


def identities(stacks: Iterable[Template]) -> Identities:
    return {
        one.stack: {"name": one.name, "holds": _holds(one.body), "outputs": _outputs(one.body)}
        for one in stacks
    }


def aspects(type: str) -> dict[str, Aspect]:
    return HOLDERS[type].aspects | REMOVAL


def _holds(body: dict[str, Any]) -> dict[str, Identity]:
    return {
        id: _identity(resource)
        for id, resource in body["Resources"].items()
        if resource["Type"] in HOLDERS
    }


def _identity(resource: dict[str, Any]) -> Identity:
    properties = resource.get("Properties", {})
    return {
        TYPE: resource["Type"],
        **{
            name: one.read(resource if name in REMOVAL else properties)
            for name, one in aspects(resource["Type"]).items()
        },
    }


def _outputs(body: dict[str, Any]) -> dict[str, str]:
    found = body.get("Outputs", {}).items()
    return {key: _leads_to(one["Value"]) for key, one in found if not key.startswith(FOR_STACKS)}


def _leads_to(value: Any) -> str:
    """The resource that an output names; a text may be another in each environment."""
    match value:
        case {"Ref": str(id)}:
            return id
        case {"Fn::GetAtt": [str(id), str(attribute)]}:
            return f"{id}.{attribute}"
    return "a text"


def differences(
    before: dict[str, Identities], after: dict[str, Identities]
) -> Iterator[Difference]:
    """All that is not as it was, in every environment."""
    for env in sorted({*before, *after}):
        if env not in after:
            says = f"the environment {env} is gone: what is deployed of it has no template."
            yield Difference(f"environment {env}: gone", says, "Bring it back", env)
        elif env not in before:
            says = f"the environment {env} is new: its identities are a promise from now on."
            yield Difference(f"environment {env}: new", says, "Leave it out", env)
        else:
            for stack in sorted({*before[env], *after[env]}):
                yield from _of_stack(
                    env, stack, before[env].get(stack, {}), after[env].get(stack, {})
                )


def _of_stack(
    env: str, stack: str, before: dict[str, Any], after: dict[str, Any]
) -> Iterator[Difference]:
    if before and after and before["name"] != after["name"]:
        was, now = before["name"], after["name"]
        says = (
            f"{stack}: CloudFormation's name of the stack was {was} and is {now}: a deploy makes "
            "a second stack, with everything in it empty."
        )
        what = f"{stack} name: {was} -> {now}"
        yield Difference(what, says, "Give the stack its old name back", env)
    was_there, is_there = before.get("holds", {}), after.get("holds", {})
    for id in sorted({*was_there, *is_there}):
        if id not in is_there:
            yield _gone(env, stack, id, was_there[id])
        elif id not in was_there:
            yield _new(env, stack, id, is_there[id])
        elif was_there[id][TYPE] != is_there[id][TYPE]:
            yield _gone(env, stack, id, was_there[id])
            yield _new(env, stack, id, is_there[id])
        else:
            yield from _changed(env, stack, id, was_there[id], is_there[id])
    yield from _outputs_changed(env, stack, before.get("outputs", {}), after.get("outputs", {}))


def _gone(env: str, stack: str, id: str, was: Identity) -> Difference:
    says = (
        f"{stack}: the {HOLDERS[was[TYPE]].noun} {id} is gone (a renamed construct makes a new, "
        f"empty one; the old one {_fate(was['on removal'])}): {lost(stack, id, was)} would be lost."
    )
    return Difference(f"{stack} {id}: gone", says, "Give the construct its old id back", env)


def _new(env: str, stack: str, id: str, now: Identity) -> Difference:
    says = f"{stack}: the {HOLDERS[now[TYPE]].noun} {id} is new: what it holds is a promise from "
    return Difference(f"{stack} {id}: new", f"{says}now on.", "Leave it out", env)


def _changed(env: str, stack: str, id: str, was: Identity, now: Identity) -> Iterator[Difference]:
    for name, aspect in aspects(was[TYPE]).items():
        old, new = was.get(name), now[name]
        if old is None or old == new:  # an aspect that the snapshot does not know is no change
            continue
        replaced = aspect.consequence == REPLACED
        fate = f"; the old one {_fate(was['on replacement'])}" if replaced else ""
        risk = "would be lost" if replaced else "depends on it"
        says = (
            f"{stack}: the {HOLDERS[was[TYPE]].noun} {id} is another: {name} was {old} and is "
            f"{new} ({aspect.consequence}{fate}): {lost(stack, id, was)} {risk}."
        )
        yield Difference(f"{stack} {id} {name}: {old} -> {new}", says, "Change it back", env)


def _outputs_changed(
    env: str, stack: str, before: dict[str, str], after: dict[str, str]
) -> Iterator[Difference]:
    for key, was in before.items():
        now = after.get(key, "gone")
        if now != was:
            says = (
                f"{stack}: the output {key} was {was} and is {now}: `kit`, scripts and callers of "
                "the version before find the deployment by it."
            )
            what = f"{stack} output {key}: {was} -> {now}"
            yield Difference(what, says, "Change it back", env)


def _fate(policy: str) -> str:
    return "stays, unused" if policy == "Retain" else "is deleted"


def lost(stack: str, id: str, identity: Identity) -> str:
    """What would be lost with a resource."""
    own = LOST.get(f"{stack} {id}") or HOLDERS[identity[TYPE]].lost
    return own or f"what the {HOLDERS[identity[TYPE]].noun} {id} holds"
