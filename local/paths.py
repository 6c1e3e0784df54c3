"""Where the local cloud keeps its things: all in `.local/` of this checkout."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]
STATE = ROOT / ".local"
HOME, TMP, LOGS = STATE / "home", STATE / "tmp", STATE / "logs"
ASSEMBLY, OUTPUTS, PID = STATE / "assembly", STATE / "outputs.json", STATE / "up.pid"
CLOUD_VENV, IMAGES = STATE / "cloud-venv", STATE / "images"
CDK = ROOT / "node_modules" / ".bin" / "cdk"

PASSED_ON = ("PATH", "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS")


def clean_env() -> dict[str, str]:
    """An environment without the caller's credentials, profile, proxies or home."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {**kept, "HOME": str(HOME), "TMPDIR": str(TMP)}
