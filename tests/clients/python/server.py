"""The server under test, as its environment variables describe it, and databases on it that no other test uses."""

import itertools
import json
import os
import urllib.request


def _required(name):
    value = os.environ.get(name)
    if not value:
        raise SystemExit(f"{name} is not set; these tests are started by `cargo test clients`")
    return value


SERVER_URL = _required("HRANAD_URL")
_API_TOKEN = _required("HRANAD_API_TOKEN")

# The scheme of the URLs that clients get: `http` or `ws`.
TRANSPORT = os.environ.get("LIBSQL_TRANSPORT", "http")

_count = itertools.count()

# A result of many rows, each recognisable.
MANY = 100_000
MANY_ROWS = f"""
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY} - 1)
    SELECT i, 'row ' || i AS name FROM n
"""


def create_database():
    """Creates a database and tells the URL that clients use."""
    name = f"python-{os.getpid()}-{next(_count)}"
    request = urllib.request.Request(
        f"{SERVER_URL}/v1/databases",
        data=json.dumps({"name": name, "group": "default"}).encode(),
        headers={"authorization": f"Bearer {_API_TOKEN}"},
    )
    with urllib.request.urlopen(request) as response:
        response.read()
    return database_url(name)


def database_url(name):
    return f"{SERVER_URL}/db/{name}/".replace("http://", f"{TRANSPORT}://")
