"""The one way a REST API is made: regional, throttled, logged without bodies."""

import json
from collections.abc import Mapping

from aws_cdk import Duration, Stack
from aws_cdk import aws_apigateway as apigw
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.config import Config
from stacks.parts.log_group import log_group
from stacks.parts.nag import acknowledge

LOGGED = (
    "requestId",
    "requestTime",
    "httpMethod",
    "resourcePath",
    "status",
    "responseLength",
    "responseLatency",
    "integrationLatency",
    "identity.sourceIp",
    "error.responseType",
)
"""Fields of $context in an access log line: no body, no header, no key."""

# API Gateway's own refusals, as the Messages API would word them: status, type, message, retry.
REFUSALS: dict[str, tuple[str | None, str, str, str]] = {
    "DEFAULT_4_XX": (None, "invalid_request_error", "the request cannot be served", "false"),
    "DEFAULT_5_XX": (None, "api_error", "the request failed; try again", "true"),
    "ACCESS_DENIED": ("403", "permission_error", "access denied", "false"),
    "MISSING_AUTHENTICATION_TOKEN": ("404", "not_found_error", "no such route", "false"),
    "RESOURCE_NOT_FOUND": ("404", "not_found_error", "no such route", "false"),
    # No route is signed here: a bearer key on a path that does not exist ends in this one.
    "INVALID_SIGNATURE": ("404", "not_found_error", "no such route", "false"),
    "REQUEST_TOO_LARGE": ("413", "request_too_large", "the body is above 10 MB", "false"),
    "THROTTLED": ("429", "rate_limit_error", "too many requests at once; try again", "true"),
    "QUOTA_EXCEEDED": ("429", "rate_limit_error", "the quota is used up", "false"),
    "INTEGRATION_FAILURE": ("502", "api_error", "the request failed; try again", "true"),
    "INTEGRATION_TIMEOUT": ("504", "timeout_error", "no answer in time; ask for less", "false"),
    "WAF_FILTERED": ("403", "permission_error", "refused by the firewall", "false"),
}


def buffered(handler: lambda_.IFunction, config: Config) -> apigw.Integration:
    """A function that answers at once."""
    return apigw.LambdaIntegration(
        handler, timeout=Duration.seconds(config.api_timeout_s), allow_test_invoke=False
    )


def streamed(handler: lambda_.IFunction, config: Config) -> apigw.Integration:
    """A function whose answer passes on as it is written."""
    return apigw.LambdaIntegration(
        handler,
        timeout=Duration.seconds(config.stream_api_timeout_s),
        allow_test_invoke=False,
        response_transfer_mode=apigw.ResponseTransferMode.STREAM,
    )


class RestApi(Construct):
    """A REST API of routes, such as `POST /v1/messages`, each with what answers it."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: Config,
        routes: Mapping[str, apigw.Integration],
    ) -> None:
        super().__init__(scope, id)
        access_logs = log_group(self, "AccessLogs", config=config)
        self.api = apigw.RestApi(
            self,
            "Api",
            rest_api_name=Stack.of(self).stack_name,  # CloudWatch counts by it
            # Edge-optimised, the default, would end an idle stream after 30 s.
            endpoint_configuration=apigw.EndpointConfiguration(types=[apigw.EndpointType.REGIONAL]),
            deploy_options=apigw.StageOptions(
                stage_name=config.environment,
                throttling_rate_limit=config.requests_per_s,
                throttling_burst_limit=config.requests_burst,
                access_log_destination=apigw.LogGroupLogDestination(access_logs),
                access_log_format=apigw.AccessLogFormat.custom(
                    json.dumps({name.split(".")[-1]: f"$context.{name}" for name in LOGGED})
                ),
            ),
        )
        for route, integration in routes.items():
            method, path = route.split(" ")
            self.api.root.resource_for_path(path).add_method(method, integration)
        for kind, (status, error, message, retry) in REFUSALS.items():
            self._dress(kind, status, error, message, retry)
        keys = "client keys are proved by the write that reserves the money, in the function"
        acknowledge(self.api, {"APIG4": keys, "COG4": keys})
        acknowledge(
            self.api,
            {
                "APIG2": "the function validates, and answers in the Messages API's shape",
                "APIG3": "the firewall is a number in config.py: on in prod",
                "APIG6": "execution logs have no retention and hold headers; access logs are on",
            },
        )

    @property
    def stage_arn(self) -> str:
        return self.api.deployment_stage.stage_arn

    def _dress(self, kind: str, status: str | None, error: str, message: str, retry: str) -> None:
        body = {"type": "error", "error": {"type": error, "message": message}}
        self.api.add_gateway_response(
            kind,
            type=getattr(apigw.ResponseType, kind),
            status_code=status,
            response_headers={
                "request-id": "context.requestId",
                "x-should-retry": f"'{retry}'",
            },
            templates={
                "application/json": json.dumps({**body, "request_id": "$context.requestId"})
            },
        )
