"""Runs in a fresh process: `plain.py HOST PORT KEY`. One call with nothing but the stdlib."""

import http.client
import json
import sys

BODY = {
    "model": "claude-haiku-5-5",
    "max_tokens": 512,
    "messages": [{"role": "user", "content": "hello"}],
}


def main(host: str, port: str, key: str) -> None:
    headers = {
        "x-api-key": key,
        "anthropic-version": "2023-06-01",
        "content-type": "application/json",
    }
    connection = http.client.HTTPConnection(host, int(port))
    connection.request("POST", "/v1/messages", json.dumps(BODY), headers)
    answer = json.loads(connection.getresponse().read())
    if not answer["content"][0]["text"]:
        raise SystemExit("no answer")
    print("{}", file=sys.stderr)


main(*sys.argv[1:])
