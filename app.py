"""Choose the environment, build the shared stack, then each pattern of the registry."""

from aws_cdk import App, CrossStackReferences, ReferenceStrength, Validations
from cdk_nag import AwsSolutionsChecks

from stacks import PATTERNS
from stacks.choose import choose
from stacks.parts import rules
from stacks.preflight import check_cli
from stacks.shared import SharedStack


def build(app: App) -> App:
    """All stacks of one environment, in `app`."""
    config = choose(app.node.get_all_context())
    # No export blocks an update or a removal of the stack that is referred to.
    CrossStackReferences.of(app).consume(ReferenceStrength.WEAK)
    Validations.of(app).add_plugins(AwsSolutionsChecks())
    shared = SharedStack(app, "SharedStack", config=config)
    stacks = [pattern(app, pattern.__name__, config=config, shared=shared) for pattern in PATTERNS]
    for stack in [shared, *stacks]:
        rules.check_limits(stack)
    return app


if __name__ == "__main__":
    check_cli()
    build(App()).synth()
