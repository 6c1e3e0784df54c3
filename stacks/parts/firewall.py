"""WAF before an API or a load balancer: a rate for each address, nothing without a whole key."""

import json
from collections.abc import Mapping, Sequence

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from claude_core.http_routes import Backend, open_paths
from stacks.config import Config
from stacks.parts.log_group import log_group

KEY = "ck_[A-Za-z0-9_-]{43}"
KEYS = {"x-api-key": f"^{KEY}$", "authorization": f"^[Bb]earer {KEY}$"}
"""Which headers carry a key, and how."""
TICKETS = {"sec-websocket-protocol": r"(^|[, ])ticket\.[A-Za-z0-9_-]{43}($|[, ])"}
"""What a browser offers instead."""

_Statement = waf.CfnWebACL.StatementProperty
_Field = waf.CfnWebACL.FieldToMatchProperty


class Firewall(Construct):
    """A web ACL for one stage or load balancer. Its logs hold no key."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: Config,
        resource_arn: str,
        requests_per_5_min: int,
        open_paths: Sequence[str],
        proofs: Mapping[str, str] = KEYS,
    ) -> None:
        """Refuse every request that none of `proofs`, patterns by header, fits.

        Args:
            open_paths: patterns of those that need none.
        """
        super().__init__(scope, id)
        acl = waf.CfnWebACL(
            self,
            "Acl",
            scope="REGIONAL",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visible("Firewall"),
            custom_response_bodies={
                "rate": _body("rate_limit_error", "too many requests from this address"),
                "key": _body("authentication_error", "x-api-key: not a client key"),
            },
            rules=[
                _rule(0, "RatePerAddress", "rate", 429, _rate(requests_per_5_min)),
                _rule(1, "MalformedKey", "key", 401, _malformed_key(open_paths, proofs)),
            ],
        )
        waf.CfnWebACLAssociation(
            self, "Association", resource_arn=resource_arn, web_acl_arn=acl.attr_arn
        )
        # WAF takes only log groups whose names start like this.
        name = f"aws-waf-logs-{Stack.of(self).stack_name}"
        logs = log_group(self, "Logs", config=config, name=name)
        logging = waf.CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=acl.attr_arn,
            log_destination_configs=[
                Stack.of(self).format_arn(
                    service="logs",
                    resource="log-group",
                    resource_name=name,
                    arn_format=ArnFormat.COLON_RESOURCE_NAME,
                )
            ],
            redacted_fields=[
                waf.CfnLoggingConfiguration.FieldToMatchProperty(single_header={"Name": header})
                for header in proofs
            ],
        )
        logging.node.add_dependency(logs)


def api_paths(*backends: Backend) -> list[str]:
    """Patterns of the paths of a REST API that need no key."""
    # The path that WAF sees starts with the stage, unless a domain name stands before it.
    return [f"(/[a-z]+)?{path}" for path in open_paths(*backends)]


def _rate(requests_per_5_min: int) -> _Statement:
    return _Statement(
        rate_based_statement=waf.CfnWebACL.RateBasedStatementProperty(
            aggregate_key_type="IP", limit=requests_per_5_min, evaluation_window_sec=300
        )
    )


def _malformed_key(open_paths: Sequence[str], proofs: Mapping[str, str]) -> _Statement:
    """No header holds a key of the right form, and the path is not an open one."""
    passes = [_matches(_Field(uri_path={}), f"^{path}$") for path in open_paths]
    for header, pattern in proofs.items():
        passes.append(_matches(_Field(single_header={"Name": header}), pattern))
    refused = [_not(statement) for statement in passes]
    return _Statement(and_statement=waf.CfnWebACL.AndStatementProperty(statements=refused))


def _matches(field: _Field, pattern: str) -> _Statement:
    return _Statement(
        regex_match_statement=waf.CfnWebACL.RegexMatchStatementProperty(
            field_to_match=field,
            regex_string=pattern,
            text_transformations=[
                waf.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")
            ],
        )
    )


def _not(statement: _Statement) -> _Statement:
    return _Statement(not_statement=waf.CfnWebACL.NotStatementProperty(statement=statement))


def _rule(
    priority: int, name: str, body: str, status: int, statement: _Statement
) -> waf.CfnWebACL.RuleProperty:
    answer = waf.CfnWebACL.CustomResponseProperty(
        response_code=status, custom_response_body_key=body
    )
    return waf.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        statement=statement,
        action=waf.CfnWebACL.RuleActionProperty(
            block=waf.CfnWebACL.BlockActionProperty(custom_response=answer)
        ),
        visibility_config=_visible(name),
    )


def _visible(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    # Sampled requests would show headers, and so keys, in the console.
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )


def _body(error: str, message: str) -> waf.CfnWebACL.CustomResponseBodyProperty:
    content = {"type": "error", "error": {"type": error, "message": message}}
    return waf.CfnWebACL.CustomResponseBodyProperty(
        content=json.dumps(content), content_type="APPLICATION_JSON"
    )
