"""`kit key set`: put the Claude API key where the functions read it, and nowhere else."""

import getpass
import sys

import typer

from claude_core.errors import KeyMissing
from claude_core.secret import checked
from kit.deployment import Deployment
from kit.options import deployed
from kit.say import Stop, out

app = typer.Typer(no_args_is_help=True, help="The Claude API key.")


@app.callback()
def group() -> None:
    """The Claude API key."""


@app.command("set", epilog="Example: kit key set < key.txt   (or without a file: it is asked for)")
@deployed
def set_key(deployment: Deployment) -> None:
    """Store the Claude API key in Secrets Manager; read from standard input or asked for."""
    secret = deployment.outputs("SharedStack")["ClaudeSecretArn"]
    asked = sys.stdin.isatty()
    given = getpass.getpass("Claude API key (not shown): ") if asked else sys.stdin.read()
    try:
        key = checked(given)
    except KeyMissing as wrong:
        raise Stop("that is not a Claude API key: it must look like sk-ant-…", code=2) from wrong
    deployment.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=key)
    out.print(f"stored the key that ends in {key[-4:]}; functions use it within five minutes")
