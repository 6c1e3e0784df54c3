"""Choose the environment, build what is shared, then each pattern of the registry."""

from inspect import signature
from typing import Any

from aws_cdk import App, CrossStackReferences, ReferenceStrength, Stack, Validations
from cdk_nag import AwsSolutionsChecks

from stacks import PATTERNS
from stacks.choose import choose
from stacks.network import NetworkStack
from stacks.parts import rules
from stacks.preflight import check_cli
from stacks.shared import SharedStack


def build(app: App) -> App:
    """All stacks of one environment, in `app`; each pattern is given what it asks for."""
    config = choose(app.node.get_all_context())
    # No export blocks an update or a removal of the stack that is referred to.
    CrossStackReferences.of(app).consume(ReferenceStrength.WEAK)
    Validations.of(app).add_plugins(AwsSolutionsChecks())
    given: dict[str, Any] = {"config": config}
    given["shared"] = SharedStack(app, "SharedStack", config=config)
    asks = {pattern: signature(pattern.__init__).parameters for pattern in PATTERNS}
    if any("network" in names for names in asks.values()):
        given["network"] = NetworkStack(app, "NetworkStack", config=config)
    for pattern, names in asks.items():
        pattern(app, pattern.__name__, **{name: given[name] for name in given if name in names})
    for stack in app.node.children:
        if isinstance(stack, Stack):
            rules.check_limits(stack)
    return app


if __name__ == "__main__":
    check_cli()
    build(App()).synth()
