"""The orchestrator pattern: REST API -> Lambda, which chooses who answers -> Claude."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from claude_core.http_routes import Backend, route_names
from claude_core.routes import Table
from claude_core.settings import RouterSettings
from stacks.config import Config
from stacks.parts import route_rules
from stacks.parts.alarms import PERIOD, Row, alarms
from stacks.parts.assets import ROOT
from stacks.parts.canary import SHIFTS, canary
from stacks.parts.dashboard import dashboard
from stacks.parts.firewall import Firewall, api_paths
from stacks.parts.kit_metrics import KitMetrics
from stacks.parts.rest_api import RestApi, streamed
from stacks.parts.rules import check_config
from stacks.parts.stream_function import StreamFunction
from stacks.parts.table import table
from stacks.shared import SharedStack

SHIPPED, OWN = "claude_core/routes.json", "routes.json"
"""Where a table is in the bundle."""
FEWEST = 10
"""Questions in five minutes below which a share of them says nothing."""


class OrchestratorStack(Stack):
    """Mixed questions: a small model sorts them, the right one answers."""

    def __init__(self, scope: Construct, id: str, *, config: Config, shared: SharedStack) -> None:
        super().__init__(
            scope,
            id,
            stack_name=config.stack_prefix + id,
            description="The right model of Claude for each question",
        )
        broken = check_config(self, config, route_rules.ORCHESTRATOR)
        self.add_stack_dependency(shared, "the account's logging role must be there before a stage")

        own = None if "routes_file" in broken else config.routes_file
        routes = route_rules.table(own)
        conversations = table(
            self, "Conversations", config=config, key="id", expires="expires_at", lasting=False
        )
        function = StreamFunction(
            self,
            "Function",
            config=config,
            settings=shared.settings(self, config),
            description="POST /v1/orchestrate, streamed",
            env=RouterSettings(
                routes_file=OWN if own else SHIPPED, conversations_table=conversations.table_name
            ).to_env(),
            files={OWN: ROOT / own} if own else {},
        )
        rest = RestApi(
            self,
            "RestApi",
            config=config,
            routes=dict.fromkeys(
                route_names(Backend.ORCHESTRATOR), streamed(function.alias, config)
            ),
        )
        if config.waf_requests_per_5_min:
            Firewall(
                self,
                "Firewall",
                config=config,
                resource_arn=rest.stage_arn,
                requests_per_5_min=config.waf_requests_per_5_min,
                open_paths=api_paths(Backend.ORCHESTRATOR),
            )

        shared.let_call(function.role)
        conversations.grant(function.role, "dynamodb:GetItem", "dynamodb:PutItem")

        self._kit = KitMetrics(self.stack_name)
        made = self._alarms(config, shared.alarms, function)
        if config.canary in SHIFTS:
            # What a bad version shows at once; Claude's own troubles are not its fault.
            watched = [made["Errors"], made["Crashes"]]
            canary(self, "Canary", alias=function.alias, shift=config.canary, alarms=watched)
        self._draw(function, rest, routes)
        CfnOutput(self, "ApiUrl", value=rest.api.url)
        CfnOutput(self, "RoutesFile", value=own or SHIPPED)

    def _alarms(
        self, config: Config, topic: sns.ITopic, made: StreamFunction
    ) -> dict[str, cloudwatch.Alarm]:
        function = made.function
        failures = cloudwatch.MathExpression(
            expression=f"IF(asked >= {FEWEST}, 100 * failed / asked, 0)",
            using_metrics={
                "asked": self._kit("classifier_duration", "SampleCount"),
                "failed": self._kit("classifier_failures"),
            },
            label="Classifier's failures (%)",
            period=PERIOD,
        )
        rows = (
            Row("Errors", function.metric_errors(), 1, "it crashed or ran out of time"),
            Row(
                "Throttles",
                function.metric_throttles(),
                1,
                "Lambda refused calls: raise the account's concurrency",
            ),
            Row(
                "ClassifierFailures",
                failures,
                config.classifier_failures_percent,
                "late, failed, refused or no intent; such questions take the default route",
            ),
        )
        return alarms(self, (*rows, *self._kit.alarms()), topic=topic)

    def _draw(self, made: StreamFunction, rest: RestApi, routes: Table) -> None:
        kit, function = self._kit, made.function
        shares = [
            cloudwatch.MathExpression(
                expression=f"100 * FILL(route_{intent}, 0) / routed",
                using_metrics={f"route_{intent}": kit(f"route_{intent}"), "routed": kit("routed")},
                label=intent,
                period=PERIOD,
            )
            for intent in routes.routes
        ]
        dashboard(
            self,
            "Dashboard",
            graphs={
                "Share of each route (%)": shares,
                "Saved against the dearest model; paid for choosing, and for early starts (USD)": [
                    kit("routing_saved_usd"),
                    kit("routing_cost_usd"),
                    kit("guesses_cost_usd"),
                ],
                "Classifier: time, p50 and p99 (s)": [
                    kit("classifier_duration", "p50"),
                    kit("classifier_duration", "p99"),
                ],
                "Classifications, their failures; answers by another model; early starts ended": [
                    kit("classifications"),
                    kit("classifier_failures"),
                    kit("routing_fallbacks"),
                    kit("guesses_ended"),
                ],
                "Requests and refusals": [
                    rest.api.metric_count(),
                    rest.api.metric_client_error(),
                    rest.api.metric_server_error(),
                ],
                **kit.graphs(),
                "Function: errors, throttles": [
                    function.metric_errors(),
                    function.metric_throttles(),
                ],
            },
        )
