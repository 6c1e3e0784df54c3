"""What the numbers of the containers must be, and in which order."""

import re

from stacks.config import Config
from stacks.parts.rules import CLAUDE, FIREWALL, Rule, between
from stacks.service_numbers import Vpc

DAY_S = 24 * 3_600
OPEN_FILES = 65_535
"""Fargate's limit for a container; a socket with a stream takes two."""
MEMORY_MB = {256: (512, 1_024, 2_048), 512: range(1_024, 4_097, 1_024)} | {
    1_024: range(2_048, 8_193, 1_024)
}
"""What Fargate sells to so much CPU:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html"""


def _vpc(vpc: Vpc | None, _: Config) -> bool:
    if vpc is None:
        return True
    subnets = [vpc.public_subnets, *([vpc.private_subnets] if vpc.private_subnets else [])]
    return len(set(vpc.zones)) >= 2 and all(len(some) == len(vpc.zones) for some in subnets)


def _certificate(arn: str | None, config: Config) -> bool:
    if arn:
        return re.match(r"arn:[a-z-]+:acm:[a-z0-9-]+:\d+:certificate/", arn) is not None
    return config.serves_https or not config.https_required


def _domain(_: str | None, config: Config) -> bool:
    if not config.serves_https:
        return True
    name, zone = config.domain, config.hosted_zone_name
    return bool(name) and (not zone or f".{name}".endswith(f".{zone}"))


def _base_image(image: str, config: Config) -> bool:
    return not config.pinned_image or re.search(r"@sha256:[0-9a-f]{64}$", image) is not None


NETWORK = (
    Rule("nat_gateways", between(0, 2), "must be 0 to 2: there are two zones"),
    Rule("vpc", _vpc, "must be of two zones or more, with one subnet of each kind in each"),
)
SOCKETS = (
    Rule("frame_bytes", between(1_024, 1024 * 1024), "must be 1024 to 1048576"),
    Rule("messages_per_minute", between(1, 6_000), "must be 1 to 6000"),
    Rule(
        "sockets_per_task",
        between(1, OPEN_FILES // 2 - 1_000),
        f"must be 1 to {OPEN_FILES // 2 - 1_000}: with a stream each takes two of the open files",
    ),
    Rule(
        "sockets_per_client",
        lambda value, config: 1 <= value <= config.sockets_per_task,
        "must be 1 to sockets_per_task",
    ),
    Rule("auth_s", between(1, 30), "must be 1 to 30"),
    Rule("idle_s", between(60, DAY_S), "must be 60 to 86400"),
    Rule(
        "lifetime_s",
        lambda value, config: config.idle_s <= value <= 6 * DAY_S,
        "must be from idle_s to 518400: a load balancer's cookie lasts seven days",
    ),
    Rule("buffer_bytes", between(4_096, 16 * 1024 * 1024), "must be 4096 to 16777216"),
    Rule(
        "stall_s",
        lambda value, config: 1 <= value < config.idle_s,
        "must be at least 1, and below idle_s",
    ),
    Rule("resume_s", between(0, 600), "must be 0 to 600: it is paid meanwhile"),
    Rule("conversation_days", between(1, 3_650), "must be 1 to 3650"),
)
STOP = (
    Rule("drain_s", between(10, 110), "must be 10 to 110: Fargate kills at 120"),
    Rule(
        "stop_timeout_s",
        lambda value, config: config.drain_s < value <= 120,
        "must be above drain_s, and 120 at most, Fargate's limit",
    ),
)
TIME = (
    *STOP,
    Rule(
        "deregistration_s",
        lambda value, config: config.stop_timeout_s < value <= 3_600,
        "must be above stop_timeout_s, or the load balancer cuts what still drains",
    ),
    Rule("alb_idle_s", between(60, 4_000), "must be 60 to 4000, the load balancer's limit"),
    Rule(
        "keep_alive_s",
        lambda value, config: value > config.alb_idle_s,
        "must be above alb_idle_s, or the load balancer answers 502",
    ),
    *(
        Rule(
            name,
            lambda value, config: 1 <= value <= config.alb_idle_s / 2,
            "must be 1 to half of alb_idle_s, or a silent connection is cut",
        )
        for name in ("ping_s", "ws_ping_s")
    ),
    Rule(
        "service_stream_timeout_s",
        lambda value, config: config.service_answer_timeout_s <= value <= config.lifetime_s,
        "must be from service_answer_timeout_s to lifetime_s",
    ),
)
IMAGE = (
    Rule(
        "base_image",
        _base_image,
        "must be pinned by its digest, @sha256:…, to stay what it is",
    ),
)


def size(of: str) -> tuple[Rule, Rule]:
    """Of the tasks whose numbers begin with `of`."""
    return (
        Rule(
            f"{of}_cpu",
            lambda value, _: value in MEMORY_MB,
            "must be one of 256, 512, 1024: one process uses one vCPU",
        ),
        Rule(
            f"{of}_memory_mb",
            lambda value, config: value in MEMORY_MB.get(getattr(config, f"{of}_cpu"), (value,)),
            f"must be what Fargate sells to that {of}_cpu",
        ),
    )


TASKS = (
    *IMAGE,
    *size("service"),
    Rule(
        "min_tasks",
        lambda value, config: 1 <= value <= config.max_tasks,
        "must be 1 to max_tasks",
    ),
    Rule("max_tasks", between(1, 1_000), "must be 1 to 1000"),
    Rule(
        "streams_per_task",
        lambda value, config: 1 <= value <= config.sockets_per_task / 2,
        "must be 1 to half of sockets_per_task, or sockets are refused before a task is added",
    ),
    Rule("first_token_s", between(1, 300), "must be 1 to 300"),
    Rule("reconnects_per_5_min", between(1, 1_000_000), "must be 1 to 1000000"),
)
ENTRANCE = (
    Rule(
        "certificate_arn",
        _certificate,
        "must be a certificate's ARN, unless hosted_zone_id and hosted_zone_name are set: "
        "client keys do not travel over plain HTTP here",
    ),
    Rule(
        "hosted_zone_id",
        lambda value, config: bool(value) is bool(config.hosted_zone_name),
        "must be set together with hosted_zone_name",
    ),
    Rule(
        "domain_name",
        _domain,
        "must be the name that the certificate is for, and in the hosted zone if there is one",
    ),
    Rule("access_log_days", between(1, 3_650), "must be 1 to 3650"),
)
WEBSOCKET = (*CLAUDE, *FIREWALL, *SOCKETS, *TIME, *TASKS, *ENTRANCE)
