"""The numbers of what runs in containers: the chat service, its load balancer, its network."""

from dataclasses import dataclass

WEEK_S = 7 * 24 * 3_600
"""The longest that a load balancer's cookie lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc:
    """A VPC that exists, by ids, so that synth asks no account for it."""

    id: str
    zones: tuple[str, ...]
    """Availability zones of the subnets, in their order: at least two."""
    public_subnets: tuple[str, ...]
    """One for each zone: the load balancer's."""
    private_subnets: tuple[str, ...] = ()
    """One for each zone, with a way out through NAT: the tasks'. None: they stand in the public."""


# Without slots: Python allows no class two parts that have some.
@dataclass(frozen=True, kw_only=True)
class ServiceNumbers:
    """A part of Config."""

    frame_bytes: int = 256 * 1024
    messages_per_minute: int = 60
    """Of one websocket."""
    sockets_per_client: int = 100
    """Of one client, at one task."""
    sockets_per_task: int = 2_000
    auth_s: int = 5
    """From a connection to a proved handshake."""
    idle_s: int = 15 * 60
    lifetime_s: int = 4 * 3_600
    """Of a websocket; then it is told to reconnect."""
    buffer_bytes: int = 64 * 1024
    """For a reader that does not take what is written; then Claude has to wait, too."""
    stall_s: int = 30
    """That a reader may take nothing, before its websocket is cut."""
    resume_s: int = 60
    drain_s: int = 110
    """Streams have so long after SIGTERM; Fargate kills at 120 s, and two others follow from it."""
    ws_ping_s: int = 20
    conversation_days: int = 30

    vpc: Vpc | None = None
    """Use this one, and make none."""
    nat_gateways: int = 0
    """32.85 USD a month each; tasks stand in private subnets behind them, or, with none, in public
    ones where only the load balancer reaches them."""
    flow_logs: bool = False
    """Write down what a security group refused."""

    base_image: str = "python:3.13-slim"
    """Below the containers. With its digest it stays the one that was tested:
    `docker buildx imagetools inspect python:3.13-slim` names the newest."""
    pinned_image: bool = False
    """Refuse a base image without a digest."""
    service_cpu: int = 256
    """1,024 are one vCPU, and no more is used: a task is one process."""
    service_memory_mb: int = 512
    min_tasks: int = 1
    max_tasks: int = 2
    streams_per_task: int = 50
    """Active at once on average: tasks are added above it. A stream of 50 tokens a second takes
    0.4 % of a vCPU."""
    alb_idle_s: int = 300
    """Of a connection at the load balancer; two others follow from it."""
    service_stream_timeout_s: int = 900
    """What Claude has for a streamed answer on Fargate."""
    first_token_s: int = 10
    """Alarm when one in twenty answers takes longer to begin."""
    reconnects_per_5_min: int = 50
    """Alarm at so many answers taken up again."""

    https_required: bool = False
    """Refuse to serve keys over plain HTTP."""
    certificate_arn: str | None = None
    """For `domain_name`, in the stack's region."""
    hosted_zone_id: str | None = None
    hosted_zone_name: str | None = None
    """With the id: the name is kept there, and a certificate made unless one is given."""
    domain_name: str | None = None
    """What callers use; unset: `chat.` in the hosted zone."""
    access_log_days: int = 30
    """The load balancer's: addresses and paths, no key."""

    @property
    def service_answer_timeout_s(self) -> int:
        """As `stream_answer_timeout_s`, before the load balancer ends what is silent."""
        return self.alb_idle_s - 20

    @property
    def keep_alive_s(self) -> int:
        """Of the service: had it the shorter one, the load balancer would answer 502."""
        return self.alb_idle_s + 10

    @property
    def stop_timeout_s(self) -> int:
        """From SIGTERM to SIGKILL."""
        return self.drain_s + 10

    @property
    def deregistration_s(self) -> int:
        """That the load balancer leaves a stopping task its connections."""
        return self.stop_timeout_s + 30

    @property
    def stickiness_s(self) -> int:
        """Whoever reconnects after a whole lifetime still finds the task that knows the answer."""
        return min(self.lifetime_s + self.resume_s, WEEK_S)

    @property
    def domain(self) -> str | None:
        """The name in front of the load balancer, if it has one of its own."""
        return self.domain_name or (self.hosted_zone_name and f"chat.{self.hosted_zone_name}")

    @property
    def serves_https(self) -> bool:
        return bool(self.certificate_arn or (self.hosted_zone_id and self.hosted_zone_name))
