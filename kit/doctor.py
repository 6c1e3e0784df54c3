"""`kit doctor`: a line a check, each with ok, or with the command that mends it."""

from collections.abc import Callable

import typer

from kit.checks import CHECKS, Bad, Patient, Unasked
from kit.deployment import Deployment
from kit.options import deployed
from kit.say import Stop, out


@deployed
def doctor(deployment: Deployment) -> None:
    """Check this machine, the account and the deployment; say what mends what is wrong."""
    patient = Patient(deployment)
    passed = [_passes(name, check, patient) for name, check in CHECKS]
    if not all(passed):
        raise typer.Exit(1)


def _passes(name: str, check: Callable[[Patient], str], patient: Patient) -> bool:
    """Make one check and print its line; only a finding counts as failed."""
    try:
        mark, color, said, passes = "ok", "green", check(patient), True
    except (Bad, Stop) as bad:
        mark, color, said, passes = "FAIL", "red", str(bad), False
    except Unasked as why:
        mark, color, said, passes = "-", "dim", f"not checked: {why}", True
    except Exception as err:
        # A check that AWS refuses (no permission, no network) is said, and the rest goes on.
        mark, color, said, passes = "-", "dim", f"not checked: {err}", True
    out.print(f"[{color}]{mark:4}[/] {name:18} ", end="")
    out.print(said, markup=False)
    return passes
