"""The serverless pattern: REST API -> Lambda -> Claude."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from claude_core.settings import Settings
from stacks.config import Config
from stacks.parts import rules
from stacks.parts.alarms import alarm, kit_metric
from stacks.parts.dashboard import dashboard
from stacks.parts.firewall import Firewall
from stacks.parts.function import Function
from stacks.parts.rest_api import RestApi
from stacks.shared import SharedStack

ROUTES = (
    "POST /prompt",
    "POST /v1/messages",
    "POST /v1/messages/count_tokens",
    "GET /v1/models",
    "GET /health",
    "GET /openapi.json",
)


class ServerlessStack(Stack):
    """Spiky load, up to a few hundred requests a minute; costs next to nothing when idle."""

    def __init__(self, scope: Construct, id: str, *, config: Config, shared: SharedStack) -> None:
        super().__init__(
            scope,
            id,
            stack_name=config.stack_prefix + id,
            description="Claude behind API Gateway and Lambda",
        )
        rules.check_config(self, config, rules.SERVERLESS)
        self.add_stack_dependency(shared, "the account's logging role must be there before a stage")

        settings = Settings(
            service=self.stack_name,
            clients_table=shared.clients.table_name,
            claude_secret=shared.claude_secret.ref,
            claude_url=config.claude_url,
            answer_timeout_s=str(config.answer_timeout_s),
            request_timeout_s=str(config.request_timeout_s),
        )
        api_function = Function(
            self,
            "ApiFunction",
            config=config,
            package="lambda_src",
            handler="lambda_src.api.handler",
            env=settings.to_env(),
            timeout_s=config.function_timeout_s,
            description="All routes of the serverless pattern",
        )
        rest = RestApi(self, "RestApi", config=config, handler=api_function.alias, routes=ROUTES)
        if config.waf_requests_per_5_min:
            Firewall(
                self,
                "Firewall",
                config=config,
                stage_arn=rest.stage_arn,
                requests_per_5_min=config.waf_requests_per_5_min,
            )

        shared.clients.grant(api_function.role, "dynamodb:UpdateItem")
        api_function.role.add_to_policy(
            iam.PolicyStatement(
                actions=["secretsmanager:GetSecretValue"], resources=[shared.claude_secret.ref]
            )
        )

        self._watch(config, shared, api_function, rest)
        CfnOutput(self, "ApiUrl", value=rest.api.url)

    def _watch(
        self, config: Config, shared: SharedStack, api_function: Function, rest: RestApi
    ) -> None:
        function, service, topic = api_function.function, self.stack_name, shared.alarms
        errors, throttles = function.metric_errors(), function.metric_throttles()
        p99 = function.metric_duration(statistic="p99")
        limited = kit_metric("upstream_rate_limited", service=service)
        overloaded = kit_metric("upstream_overloaded", service=service)
        missing = kit_metric("key_missing", service=service)
        rejected = kit_metric("key_rejected", service=service)
        slow_ms = config.answer_timeout_s * 1_000 * 0.8
        for id, metric, threshold, says in (
            ("Errors", errors, 1, "the function crashed or ran out of time"),
            ("Throttles", throttles, 1, "Lambda refused calls: raise the account's concurrency"),
            ("SlowP99", p99, slow_ms, "1 % of the calls come close to the deadline"),
            ("RateLimited", limited, 5, "Claude answers 429: ask for higher rate limits"),
            ("Overloaded", overloaded, 5, "Claude answers 529: it is overloaded"),
            ("KeyMissing", missing, 1, "no Claude key is set; run: kit key set"),
            ("KeyRejected", rejected, 1, "Claude refuses the key; run: kit key set"),
        ):
            alarm(self, id, metric=metric, threshold=threshold, topic=topic, says=says)
        dashboard(
            self,
            "Dashboard",
            graphs={
                "Requests and refusals": [
                    rest.api.metric_count(),
                    rest.api.metric_client_error(),
                    rest.api.metric_server_error(),
                ],
                "Function: duration p50, p99": [function.metric_duration(statistic="p50"), p99],
                "Function: errors, throttles": [errors, throttles],
                "Claude: 429, 529, key": [limited, overloaded, missing, rejected],
                "Tokens": [
                    kit_metric("gen_ai.usage.input_tokens", service=service),
                    kit_metric("gen_ai.usage.output_tokens", service=service),
                    kit_metric("gen_ai.usage.cache_read_tokens", service=service),
                ],
                "Cost, USD": [kit_metric("cost_usd", service=service)],
            },
        )
