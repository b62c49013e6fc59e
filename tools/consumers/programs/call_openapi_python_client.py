"""Calls all five operations with the package that openapi-python-client made: `... BASE_URL REQUESTS.JSON`."""

from __future__ import annotations

import json
import os
import sys
from http import HTTPStatus
from pathlib import Path

from acme_client import AuthenticatedClient  # type: ignore[import-not-found]
from acme_client.api.providers import (  # type: ignore[import-not-found]
    create_provider,
    destroy_provider,
    list_providers,
    show_provider,
    update_provider,
)
from acme_client.models import (  # type: ignore[import-not-found]
    Protocol,
    ProviderCreate,
    ProviderDestroy,
    ProviderUpdate,
    SortBy,
)

base_url, requests_file = sys.argv[1:]
requests = json.loads(Path(requests_file).read_text("utf-8"))
client = AuthenticatedClient(
    base_url=base_url, token=os.environ["PROVIDER_TOKEN"], prefix="", auth_header_name="access_token"
)

with client:
    created = create_provider.sync(client=client, body=ProviderCreate.from_dict(requests["create"]))
    shown = show_provider.sync(client=client, id=created.id)
    assert shown.name == requests["create"]["name"]
    assert shown.protocol is Protocol.UDP

    listed = list_providers.sync(client=client, pagination=1, pagesize=10, sort_by=SortBy.DEFAULT)
    assert [provider.id for provider in listed.providers] == [created.id]

    body = ProviderUpdate.from_dict(requests["update"] | {"id": created.id})
    assert update_provider.sync_detailed(client=client, body=body).status_code is HTTPStatus.OK
    assert show_provider.sync(client=client, id=created.id).protocol is Protocol.TCP

    assert destroy_provider.sync_detailed(client=client, body=ProviderDestroy(created.id)).status_code is HTTPStatus.OK
    again = destroy_provider.sync_detailed(client=client, body=ProviderDestroy(created.id))
    assert again.status_code is HTTPStatus.BAD_REQUEST
