"""What all patterns share: the Claude key's secret, the clients, who is told, and API logging."""

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigw
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from claude_core.settings import Settings
from stacks.config import Config
from stacks.parts import rules
from stacks.parts.nag import acknowledge
from stacks.parts.table import table


class SharedStack(Stack):
    """Deployed by CDK before the first pattern; holds the data that outlives them."""

    def __init__(self, scope: Construct, id: str, *, config: Config) -> None:
        super().__init__(
            scope,
            id,
            stack_name=config.stack_prefix + id,
            termination_protection=config.keep_data,
            description="Claude key, clients and budgets, alarm topic",
        )
        rules.check_config(self, config, rules.SHARED)
        kept = RemovalPolicy.RETAIN if config.keep_data else RemovalPolicy.DESTROY

        # The L1: the L2 would fill it with a random password, and a deploy must never touch it.
        self.claude_secret = secretsmanager.CfnSecret(
            self, "ClaudeKey", description="Claude API key; filled by: kit key set"
        )
        self.claude_secret.apply_removal_policy(kept)
        self.clients = table(self, "Clients", config=config, key="id")
        self.history = table(
            self, "History", config=config, key="client", sort_key="day", expires="expires_at"
        )
        self.alarms = sns.Topic(self, "Alarms", enforce_ssl=True)
        # With a policy of its own a topic is closed to alarms, too, unless it says otherwise.
        self.alarms.grant_publish(iam.ServicePrincipal("cloudwatch.amazonaws.com"))
        if config.alarm_email:
            self.alarms.add_subscription(subscriptions.EmailSubscription(config.alarm_email))
        self._let_api_gateway_log()

        acknowledge(self.claude_secret, {"SMG4": "Claude keys are rotated by: kit key set"})
        CfnOutput(self, "ClaudeSecretArn", value=self.claude_secret.ref)
        CfnOutput(self, "ClientsTableName", value=self.clients.table_name)
        CfnOutput(self, "HistoryTableName", value=self.history.table_name)
        CfnOutput(self, "AlarmTopicArn", value=self.alarms.topic_arn)

    def settings(self, caller: Stack, config: Config) -> Settings:
        """What every caller of Claude is told; its deadlines are those of a buffered route."""
        return Settings(
            service=caller.stack_name,
            clients_table=self.clients.table_name,
            history_table=self.history.table_name,
            alarm_topic=self.alarms.topic_arn,
            claude_secret=self.claude_secret.ref,
            claude_url=config.claude_url,
            answer_timeout_s=str(config.answer_timeout_s),
            request_timeout_s=str(config.request_timeout_s),
        )

    def let_call(self, role: iam.IRole) -> None:
        """Grant what every caller of Claude needs: the key, and to keep the budgets."""
        self.let_prove(role)
        self.history.grant(role, "dynamodb:PutItem")
        self.alarms.grant_publish(role)
        role.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["secretsmanager:GetSecretValue"], resources=[self.claude_secret.ref]
            )
        )

    def let_prove(self, role: iam.IRole) -> None:
        """Grant what it takes to know a client: a request of its minute is counted."""
        self.clients.grant(role, "dynamodb:UpdateItem")

    def let_look(self, role: iam.IRole) -> None:
        """Grant what it takes to know a client that is named without a key."""
        self.clients.grant(role, "dynamodb:GetItem")

    def _let_api_gateway_log(self) -> None:
        """One role for the account and region: the last stack that sets it wins, so it stays."""
        policy = "service-role/AmazonAPIGatewayPushToCloudWatchLogs"  # pragma: allowlist secret
        role = iam.Role(
            self,
            "ApiLogsRole",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(policy)],
        )
        account = apigw.CfnAccount(self, "ApiAccount", cloud_watch_role_arn=role.role_arn)
        for kept in (role, account):
            kept.apply_removal_policy(RemovalPolicy.RETAIN)
        managed = f"IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{policy}]"
        acknowledge(role, {managed: "what AWS documents for API Gateway's account role"})
