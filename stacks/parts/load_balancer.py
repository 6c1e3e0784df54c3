"""The one way a load balancer is made: HTTPS where there is a name, long streams, logged."""

from aws_cdk import Duration
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from constructs import Construct

from stacks.config import Config
from stacks.parts.log_bucket import let_balancer_log, log_bucket
from stacks.parts.nag import acknowledge


class LoadBalancer(Construct):
    """Open to the world on 443 (and 80, which leads there), or on 80 where there is no name."""

    def __init__(self, scope: Construct, id: str, *, config: Config, vpc: ec2.IVpc) -> None:
        super().__init__(scope, id)
        self._config, self._vpc = config, vpc
        self.group = ec2.SecurityGroup(
            self, "Group", vpc=vpc, allow_all_outbound=False, description="Open to the world"
        )
        self.balancer = elbv2.ApplicationLoadBalancer(
            self,
            "Balancer",
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
            internet_facing=True,
            security_group=self.group,
            idle_timeout=Duration.seconds(config.alb_idle_s),
            drop_invalid_header_fields=True,
        )
        let_balancer_log(log_bucket(self, "AccessLogs", days=config.access_log_days), self.balancer)
        zone = self._zone()
        self._listener = self._listen(zone)
        if zone:
            route53.ARecord(
                self,
                "Alias",
                zone=zone,
                record_name=f"{config.domain}.",
                target=route53.RecordTarget.from_alias(targets.LoadBalancerTarget(self.balancer)),
            )
        acknowledge(self.group, {"EC23": "the entrance for everybody; keys are proved behind it"})

    @property
    def url(self) -> str:
        """Its origin, as callers reach it."""
        if self._config.serves_https:
            return f"https://{self._config.domain}"
        return f"http://{self.balancer.load_balancer_dns_name}"

    def send_to(
        self, target: elbv2.IApplicationLoadBalancerTarget, *, port: int, ready: str
    ) -> elbv2.ApplicationTargetGroup:
        """Pass everything on to `target`, while its path `ready` answers 200."""
        config = self._config
        group = elbv2.ApplicationTargetGroup(
            self,
            "Targets",
            vpc=self._vpc,
            port=port,
            protocol=elbv2.ApplicationProtocol.HTTP,
            target_type=elbv2.TargetType.IP,
            targets=[target],
            deregistration_delay=Duration.seconds(config.deregistration_s),
            stickiness_cookie_duration=Duration.seconds(config.stickiness_s),
            # A socket lasts for hours: taking turns would leave a new task idle.
            load_balancing_algorithm_type=(
                elbv2.TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS
            ),
            health_check=elbv2.HealthCheck(
                path=ready,
                interval=Duration.seconds(10),
                timeout=Duration.seconds(5),
                healthy_threshold_count=2,
                unhealthy_threshold_count=2,
                healthy_http_codes="200",
            ),
        )
        self._listener.add_target_groups("Default", target_groups=[group])
        return group

    def _zone(self) -> route53.IHostedZone | None:
        config = self._config
        if not (config.hosted_zone_id and config.hosted_zone_name):
            return None
        return route53.HostedZone.from_hosted_zone_attributes(
            self,
            "Zone",
            hosted_zone_id=config.hosted_zone_id,
            zone_name=config.hosted_zone_name,
        )

    def _listen(self, zone: route53.IHostedZone | None) -> elbv2.ApplicationListener:
        config = self._config
        if not (config.serves_https and config.domain):
            return self.balancer.add_listener(
                "Http", port=80, protocol=elbv2.ApplicationProtocol.HTTP, open=True
            )
        if config.certificate_arn:
            proof = elbv2.ListenerCertificate.from_arn(config.certificate_arn)
        else:
            made = acm.Certificate(
                self,
                "Certificate",
                domain_name=config.domain,
                validation=acm.CertificateValidation.from_dns(zone),
            )
            proof = elbv2.ListenerCertificate.from_certificate_manager(made)
        self.balancer.add_redirect(open=True)
        return self.balancer.add_listener(
            "Https",
            port=443,
            protocol=elbv2.ApplicationProtocol.HTTPS,
            certificates=[proof],
            open=True,
        )
