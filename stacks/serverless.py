"""The serverless pattern: REST API -> Lambda -> Claude."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from claude_core.http_routes import Backend, route_names
from stacks.config import Config
from stacks.parts import rules
from stacks.parts.alarms import Row, alarms
from stacks.parts.canary import SHIFTS, canary
from stacks.parts.dashboard import dashboard
from stacks.parts.firewall import Firewall, api_paths
from stacks.parts.function import Function
from stacks.parts.kit_metrics import KitMetrics
from stacks.parts.rest_api import RestApi, buffered, streamed
from stacks.parts.stream_function import StreamFunction
from stacks.shared import SharedStack


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

        settings = shared.settings(self, config)
        api_function = Function(
            self,
            "ApiFunction",
            config=config,
            package="lambda_src",
            handler="lambda_src.api.handler",
            env=settings.to_env(),
            timeout_s=config.function_timeout_s,
            description="The routes that answer at once",
        )
        stream_function = StreamFunction(
            self,
            "StreamFunction",
            config=config,
            settings=settings,
            description="POST /v1/messages, streamed",
        )
        functions = (api_function, stream_function)
        rest = RestApi(
            self,
            "RestApi",
            config=config,
            routes={
                **dict.fromkeys(route_names(Backend.API), buffered(api_function.alias, config)),
                **dict.fromkeys(
                    route_names(Backend.STREAM), streamed(stream_function.alias, config)
                ),
            },
        )
        if config.waf_requests_per_5_min:
            Firewall(
                self,
                "Firewall",
                config=config,
                resource_arn=rest.stage_arn,
                requests_per_5_min=config.waf_requests_per_5_min,
                open_paths=api_paths(Backend.API, Backend.STREAM),
            )

        for function in functions:
            shared.let_call(function.role)

        self._kit = KitMetrics(self.stack_name)
        made = self._alarms(config, shared.alarms, api_function, stream_function)
        if config.canary in SHIFTS:
            for name, function in (("Api", api_function), ("Stream", stream_function)):
                # What a bad version shows at once; Claude's own troubles are not its fault.
                watched = [made[f"{name}Errors"], made["Crashes"]]
                shift = config.canary
                canary(self, f"{name}Canary", alias=function.alias, shift=shift, alarms=watched)
        self._draw(api_function, stream_function, rest)
        CfnOutput(self, "ApiUrl", value=rest.api.url)

    def _alarms(
        self, config: Config, topic: sns.ITopic, api_function: Function, stream_function: Function
    ) -> dict[str, cloudwatch.Alarm]:
        api, stream = api_function.function, stream_function.function
        p99, slow_ms = api.metric_duration(statistic="p99"), config.answer_timeout_s * 1_000 * 0.8
        throttled = "Lambda refused calls: raise the account's concurrency"
        rows = (
            Row("ApiErrors", api.metric_errors(), 1, "it crashed or ran out of time"),
            Row("StreamErrors", stream.metric_errors(), 1, "it crashed or ran out of time"),
            Row("ApiThrottles", api.metric_throttles(), 1, throttled),
            Row("StreamThrottles", stream.metric_throttles(), 1, throttled),
            Row("SlowP99", p99, slow_ms, "1 % of the calls come close to the deadline"),
        )
        return alarms(self, (*rows, *self._kit.alarms()), topic=topic)

    def _draw(self, api_function: Function, stream_function: Function, rest: RestApi) -> None:
        api, stream = api_function.function, stream_function.function
        dashboard(
            self,
            "Dashboard",
            graphs={
                "Requests and refusals": [
                    rest.api.metric_count(),
                    rest.api.metric_client_error(),
                    rest.api.metric_server_error(),
                ],
                **self._kit.graphs(),
                "Functions: errors, throttles": [
                    *(api.metric_errors(), api.metric_throttles()),
                    *(stream.metric_errors(), stream.metric_throttles()),
                ],
            },
        )
