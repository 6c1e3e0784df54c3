"""The queue pattern: REST API -> SQS -> workers on Fargate, and a batch lane at half the price."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_sns as sns
from constructs import Construct

from claude_core.http_routes import Backend, route_names
from claude_core.jobs.settings import InboxSettings
from claude_core.settings import Environment
from stacks.config import Config
from stacks.network import NetworkStack
from stacks.parts import queue_rules, rules
from stacks.parts.alarms import alarms
from stacks.parts.canary import SHIFTS, canary
from stacks.parts.dashboard import dashboard
from stacks.parts.files_bucket import notify
from stacks.parts.firewall import Firewall, api_paths
from stacks.parts.function import Function
from stacks.parts.job_queue import JobQueue
from stacks.parts.job_store import JobStore, Needs
from stacks.parts.kit_metrics import KitMetrics
from stacks.parts.queue_watch import function_alarms, queue_alarms, queue_graphs
from stacks.parts.rest_api import RestApi, buffered
from stacks.parts.worker import Workers
from stacks.shared import SharedStack

FUNCTIONS = {
    "jobs": "The routes of jobs",
    "inbox": "Makes jobs of files that are dropped in",
    "batch": "Puts jobs into batches, and takes their results",
}
LANES = ("now", "long", "batch")
API = Needs(
    table=("PutItem", "GetItem", "UpdateItem"),
    indexes=("by_client",),
    reads=("uploads", "results"),
    writes=("uploads", "bodies"),
    sends=LANES,
)
INBOX = Needs(
    table=("PutItem", "GetItem", "UpdateItem"),
    reads=("uploads",),  # a line of a file may name one
    reads_versions=("inbox",),  # the one that S3 told of, whatever has replaced it since
    writes=("bodies", "refused"),
    sends=LANES,
)
BATCH = Needs(
    table=("PutItem", "GetItem", "UpdateItem"),
    indexes=("waiting",),
    reads=("bodies",),
    writes=("results",),
    sends=LANES,  # what Claude failed in a batch is asked once more by the workers
    finishes=True,
)
WORKERS = {
    name: Needs(
        table=("GetItem", "UpdateItem"),
        reads=("bodies",),
        writes=("results",),
        works=(name,),
        buries=(name,),
        finishes=True,
    )
    for name in ("now", "long")
}


class QueueStack(Stack):
    """ETL, documents, high volume: nobody waits, and each job is done once."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: Config,
        shared: SharedStack,
        network: NetworkStack,
    ) -> None:
        super().__init__(
            scope,
            id,
            stack_name=config.stack_prefix + id,
            description="Claude behind queues: jobs, workers on Fargate, batches",
        )
        rules.check_config(self, config, queue_rules.QUEUE)
        self.add_stack_dependency(shared, "the account's logging role must be there before a stage")
        self._config, kit = config, KitMetrics(self.stack_name)
        settings = shared.settings(self, config)

        store = JobStore(self, "Store", config=config)
        inbox = JobQueue(
            self, "Inbox", visibility_s=config.inbox_visibility_s, receives=config.inbox_receives
        )
        workers = Workers(
            self,
            "Workers",
            config=config,
            network=network,
            settings=settings,
            jobs=store.settings(),
            queues=store.queues,
            kit=kit,
        )
        told = (settings, store.settings(), workers.settings())
        again = InboxSettings(inbox_queue=inbox.queue.queue_url)
        functions = {
            "jobs": self._function("jobs", *told, timeout_s=config.function_timeout_s),
            "inbox": self._function("inbox", *told, again, timeout_s=config.inbox_timeout_s),
            "batch": self._function("batch", *told, timeout_s=config.batch_timeout_s),
        }
        notify(store.files, inbox.queue, folder="inbox")
        inbox.feed(functions["inbox"], concurrency=config.inbox_concurrency)
        store.queues["batch"].feed(
            functions["batch"], window_s=config.batch_window_s, concurrency=config.batch_concurrency
        )
        api = dict.fromkeys(route_names(Backend.JOBS), buffered(functions["jobs"].alias, config))
        rest = RestApi(self, "RestApi", config=config, routes=api)
        if config.waf_requests_per_5_min:
            Firewall(
                self,
                "Firewall",
                config=config,
                resource_arn=rest.stage_arn,
                requests_per_5_min=config.waf_requests_per_5_min,
                open_paths=api_paths(Backend.JOBS),
            )

        for name, needs in (("jobs", API), ("inbox", INBOX), ("batch", BATCH)):
            store.let(functions[name].role, needs)
            workers.let_start(functions[name].role)
        for name, needs in WORKERS.items():
            store.let(workers.tasks[name].role, needs)
            shared.let_call(workers.tasks[name].role)
        shared.let_call(functions["batch"].role)
        shared.let_prove(functions["jobs"].role)
        shared.let_look(functions["inbox"].role)
        inbox.let_send(functions["inbox"].role)

        queues = {**store.queues, "inbox": inbox}
        self._watch(kit, shared.alarms, queues, functions)
        graphs = queue_graphs(kit, queues, workers.services)
        dashboard(self, "Dashboard", graphs={**graphs, **kit.graphs()})
        self._outputs(rest, store, workers)

    def _function(self, name: str, *told: Environment, timeout_s: int) -> Function:
        """One of `lambda_src`; only that of the API is waited for."""
        return Function(
            self,
            f"{name.title()}Function",
            config=self._config,
            package="lambda_src",
            handler=f"lambda_src.{name}.handler",
            env={key: value for one in told for key, value in one.to_env().items()},
            timeout_s=timeout_s,
            description=FUNCTIONS[name],
            waited_for=name == "jobs",
        )

    def _watch(
        self,
        kit: KitMetrics,
        topic: sns.ITopic,
        queues: dict[str, JobQueue],
        functions: dict[str, Function],
    ) -> None:
        rows = (*queue_alarms(self._config, kit, queues), *function_alarms(functions))
        made = alarms(self, (*rows, *kit.alarms()), topic=topic)
        if self._config.canary in SHIFTS:
            watched = [made["JobsErrors"], made["Crashes"]]
            alias, shift = functions["jobs"].alias, self._config.canary
            canary(self, "JobsCanary", alias=alias, shift=shift, alarms=watched)

    def _outputs(self, rest: RestApi, store: JobStore, workers: Workers) -> None:
        values = {
            "ApiUrl": rest.api.url,
            "JobsTableName": store.table.table_name,
            "FilesBucketName": store.files.bucket_name,
            "EventBusName": store.bus.event_bus_name,
            "ClusterName": workers.cluster.cluster_name,
        }
        for name, queue in store.queues.items():
            values[f"{name.title()}QueueName"] = queue.queue.queue_name
            values[f"{name.title()}DlqName"] = queue.dead.queue_name
        for name, service in workers.services.items():
            values[f"{name.title()}ServiceName"] = service.service_name
        for key, value in values.items():
            CfnOutput(self, key, value=value)
