"""One run from its questions to its report."""

import asyncio
import datetime as dt
import hashlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from claude_core.routes import Table
from claude_core.routing.classifier import classification
from claude_core.wire import to_bytes
from kit.deployment import Deployment, NotDeployed
from kit.progress import span
from kit.router import last
from kit.router.asking import Asking
from kit.router.compare import compare
from kit.router.outcome import Outcome, by_rules
from kit.router.questions import Question
from kit.router.refusals import LESS, Later
from kit.router.report import FAKE, NOBODY, REAL, Report, Run
from kit.say import Stop, err
from local.paths import ROOT

SHIPPED = "claude_core/routes.json"
HERE = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What is to be measured, and how."""

    file: Path
    split: str
    table: Table
    questions: Sequence[Question]
    at_once: int
    late_s: float

    def by_rules(self) -> Report:
        """What becomes of the questions if nobody is asked; such a run is not kept."""
        found = [by_rules(self.table, question) for question in self.questions]
        return Report(
            self._run(NOBODY),
            self.table,
            [outcome for outcome, _ in found],
            ruled=sum(ruled for _, ruled in found),
        )

    def asked(
        self, deployment: Deployment, key: str | None, kept: Path | None
    ) -> tuple[Report, Path]:
        """What becomes of them through a deployment, and where that run is to be kept.

        Args:
            kept: where the last one is; else in this checkout.

        Raises:
            Stop: it cannot be asked, or the last run cannot be read.
        """
        url, key = _whom(deployment, key)
        run = replace(
            self._run(FAKE if _fake(deployment) else REAL),
            deployment="the local cloud" if deployment.local else deployment.env,
            at_once=self.at_once,
            late_s=self.late_s,
        )
        kept = kept or last.place(self.file, self.split, str(run.deployment), run.classifier)
        before, began = last.load(kept, classifier=run.classifier), time.monotonic()
        outcomes, waking = asyncio.run(self._ask(url, key))
        run = replace(run, took_s=time.monotonic() - began, waking=waking)
        compared = compare(outcomes, last.right(before)) if before else None
        return Report(run, self.table, outcomes, last=before, compared=compared), kept

    async def _ask(self, url: str, key: str) -> tuple[list[Outcome], int]:
        bar = Progress(
            *(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()),
            TimeRemainingColumn(),
            console=err,
            transient=True,
            disable=not err.is_terminal,
        )

        def waits(later: Later) -> None:
            err.print(
                f"{later}\ngoes on in {span(later.wait_s)}; to be faster, {LESS}", markup=False
            )

        asking = Asking(
            url=url,
            key=key,
            table=self.table,
            at_once=min(self.at_once, len(self.questions)),
            late_s=self.late_s,
            waits=waits,
        )
        async with asking:
            with bar:
                task = bar.add_task("waking the deployment", total=len(self.questions))
                await asking.wake()
                bar.update(task, description="classifying")
                outcomes = await asking.all(self.questions, lambda _: bar.advance(task))
            return outcomes, asking.waking

    def _run(self, classifier: str) -> Run:
        told = classification(self.table, "").wire + to_bytes(asdict(self.table))
        table = hashlib.sha256(told).hexdigest()[:12]
        return Run(
            began_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            file=self.file.name,
            split=self.split,
            classifier=classifier,
            table=table,
        )


def _whom(deployment: Deployment, key: str | None) -> tuple[str, str]:
    """Where a deployment is asked, and a client's key for it."""
    key = key or (deployment.here["Local"]["ClientKey"] if deployment.local else None)
    if not key:
        hint = "give --key or set KIT_CLIENT_KEY (kit clients add NAME); or --rules-only"
        raise Stop(f"no client key; {hint}", code=2)
    return _where(deployment), key.strip()


def _where(deployment: Deployment) -> str:
    """The address at which the fast model is asked by name."""
    try:
        url, route = deployment.outputs("OrchestratorStack")["ApiUrl"], "/v1/orchestrate"
    except NotDeployed:
        url, route = deployment.outputs("ServerlessStack")["ApiUrl"], "/v1/messages"
    return url.rstrip("/") + route


def deployed_routes(deployment: Deployment) -> Path | None:
    """The table that a deployment chooses by, if it is a team's own: a file of this repository."""
    try:
        file = deployment.outputs("OrchestratorStack").get("RoutesFile")
    except NotDeployed:
        return None
    return None if file in (None, SHIPPED) else ROOT / file


def _fake(deployment: Deployment) -> bool:
    """Whether it is known not to be the real Claude that answers."""
    return deployment.local and urlsplit(deployment.here["Local"]["ClaudeUrl"]).hostname in HERE
