"""A report for programs, and for the next run: every figure, and no question's text."""

import json
from dataclasses import asdict

from claude_core.models import NANO
from claude_core.wire import Json
from kit.router.figures import Intent, Share
from kit.router.outcome import Outcome
from kit.router.report import Report
from kit.router.sweep import Step


def written(report: Report) -> str:
    return json.dumps(to_json(report), indent=2) + "\n"


def to_json(report: Report) -> Json:
    table = report.table
    return {
        "run": asdict(report.run),
        "routes": {
            "default": table.default.intent,
            "confidence": table.confidence,
            "models": {name: one.resolved.id for name, one in table.routes.items()},
        },
        "accuracy": _share(report.accuracy),
        "ruled": report.ruled,
        "failures": report.failures,
        "intents": {one.name: _intent(one) for one in report.intents},
        "confusion": report.confusion,
        "tags": {tag: _share(share) for tag, share in report.tags.items()},
        "latency_s": {name: asdict(one) for name, one in report.latencies.items()},
        "cost_usd": _costs(report),
        "thresholds": [_step(one) for one in report.steps],
        "models": [asdict(one) for one in report.strategies],
        "last": _last(report),
        "questions": [_question(one) for one in report.outcomes],
    }


def _share(share: Share) -> Json:
    low, high = share.interval
    return {"right": share.count, "of": share.of, "share": share.value, "low": low, "high": high}


def _intent(one: Intent) -> Json:
    counts = {"labelled": one.labelled, "taken": one.taken, "right": one.right}
    return {**counts, "precision": one.precision, "recall": one.recall}


def _costs(report: Report) -> Json:
    return {
        "classifying": report.cost / NANO,
        "per_1000_questions": report.cost_of_1000 / NANO,
        "unanswered_at_most": report.unknown_cost / NANO,
        "waking": report.run.waking / NANO,
    }


def _step(one: Step) -> Json:
    return {
        "confidence": one.confidence,
        "keeps": one.keeps.value,
        "accuracy_of_those": one.right.value,
        "accuracy": one.overall.value,
    }


def _last(report: Report) -> Json | None:
    if report.last is None or report.compared is None:
        return None
    return {
        "began_at": report.last["run"]["began_at"],
        "same_table": report.same_table,
        **asdict(report.compared),
        "chance": report.compared.chance,
    }


def _question(one: Outcome) -> Json:
    return {
        "key": one.question.key,
        "id": one.question.id,
        "line": one.question.line,
        "label": one.question.intent,
        "intent": one.verdict.intent if one.verdict else None,
        "confidence": one.verdict.confidence if one.verdict else None,
        "taken": one.taken,
        "right": one.right,
        "reason": one.reason.value,
        "detail": one.detail,
        "seconds": one.seconds,
        "cost_usd": one.cost / NANO,
    }
