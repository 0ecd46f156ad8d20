"""The workflow that published guides print, aimed at a sandbox and a real server."""

from __future__ import annotations

from typing import Any

import yaml
from tests.domo.test_seed_document import OURS, extract
from tests.server.real import RealServer

from metaglean_domo_sandbox import Sandbox

TEXT = extract(OURS, "yaml")


def seed_workflow(sandbox: Sandbox, server: RealServer, service: str) -> dict[str, Any]:
    """As printed; the service's name, hosts and secrets replaced."""
    access = sandbox.connection()
    workflow: dict[str, Any] = yaml.safe_load(TEXT)
    source = workflow["source"]
    assert workflow["sink"]["type"] == "metadata-rest"
    assert source["serviceName"]
    source["serviceName"] = service
    connection = source["serviceConnection"]["config"]
    values = {
        "clientId": access["client_id"],
        "secretToken": access["client_secret"],
        "accessToken": access["access_token"],
        "apiHost": access["public_url"],
        "sandboxDomain": access["instance_url"],
    }
    assert values.keys() <= connection.keys()
    connection.update(values)
    target = workflow["workflowConfig"]["openMetadataServerConfig"]
    target["hostPort"] = server.url
    target["securityConfig"]["jwtToken"] = server.token
    return workflow
