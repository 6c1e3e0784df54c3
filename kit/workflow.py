"""`kit workflow`: the durable workflows of a deployment, started and looked at."""

import json
import sys
from dataclasses import asdict
from typing import Annotated, Any

import typer

from kit.deployment import Deployment
from kit.executions import RUNNING, Execution, Executions
from kit.options import Json, deployed
from kit.rows import Clients
from kit.say import Stop, err, out, usd

app = typer.Typer(no_args_is_help=True, help="Workflows that a retry does not pay for twice.")
DONE, LATE = "SUCCEEDED", "TIMED_OUT"


@app.command(epilog="Example: git diff v1.. | kit workflow run release_note - --client shop")
@deployed
def run(
    deployment: Deployment,
    workflow: Annotated[str, typer.Argument(help="A function of the deployed workflows_file.")],
    given: Annotated[
        str | None,
        typer.Argument(help="Its input: a JSON object or list, else a text; -: standard input."),
    ] = None,
    client: Annotated[str, typer.Option(help="Whose budget pays: a client's name or id.")] = "",
    most: Annotated[float | None, typer.Option(help="USD that all of it may cost.")] = None,
    name: Annotated[
        str | None, typer.Option(help="What to call it; of one name there is only one execution.")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait for its end.")] = False,
    as_json: Json = False,
) -> None:
    """Start a workflow, and wait for what it finds."""
    if not client:
        raise Stop("--client: whose budget pays? (kit clients list)", code=2)
    event: dict[str, Any] = {
        "workflow": workflow,
        "client": Clients(deployment).find(client).id,
        "input": _input(sys.stdin.read() if given == "-" else given),
    }
    executions = _executions(deployment)
    begun = executions.start(event if most is None else event | {"most_usd": most}, name)
    if as_json and detach:
        print(json.dumps({"id": begun}))
        return
    # Said before it is waited for: whatever ends that, it goes on.
    err.print(f"[dim]begun; kit workflow show {begun}{deployment.options}[/]")
    if not detach:
        with err.status("running"):
            ended = executions.wait(begun)
        _show(ended, as_json)


@app.command(epilog="Example: kit workflow show 3/note-17/87d084b9c37c42ce")
@deployed
def show(
    deployment: Deployment,
    id: Annotated[str, typer.Argument(help="As kit workflow run has printed it.")],
    as_json: Json = False,
) -> None:
    """How an execution stands, and what it has found."""
    _show(_executions(deployment).find(id), as_json)


def _executions(deployment: Deployment) -> Executions:
    outputs = deployment.outputs("OrchestratorStack")
    if "WorkflowsArn" not in outputs:
        raise Stop("OrchestratorStack has no workflows; set workflows_file (docs/workflows.md)")
    # Locally the call lasts as long as the workflow, up to its first wait.
    client = deployment.client("lambda", read_timeout_s=900 if deployment.local else 5)
    return Executions(client, outputs["WorkflowsArn"], local=deployment.local)


def _input(given: str | None) -> Any:
    try:
        read = json.loads(given or "null")
    except ValueError:
        return given
    return read if isinstance(read, dict | list) else given


def _show(found: Execution, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(found), ensure_ascii=False))
    elif found.status == DONE:
        output = found.result["output"]
        print(
            output if isinstance(output, str) else json.dumps(output, indent=2, ensure_ascii=False)
        )
        cost, took = usd(found.result["cost_usd"]), f"{found.took_s:.0f} s"
        err.print(f"[dim]{found.id} · {cost} · {took}[/]")
    elif found.status == RUNNING:
        out.print(f"{found.id}: running for {found.took_s:.0f} s", markup=False)
    if found.status not in (DONE, RUNNING):
        late = "longer than workflow_timeout_s; its steps in the Lambda console say what for"
        why = found.error or (late if found.status == LATE else "nobody said why")
        raise Stop(f"{found.id}: {found.status.lower()}: {why}")
