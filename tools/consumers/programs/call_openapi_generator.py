"""Calls all five operations with the package that openapi-generator made: `... BASE_URL REQUESTS.JSON`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from acme_client import (  # type: ignore[import-not-found]
    ApiClient,
    ApiException,
    Configuration,
    Protocol,
    ProviderCreate,
    ProviderDestroy,
    ProvidersApi,
    ProviderUpdate,
    SortBy,
)

base_url, requests_file = sys.argv[1:]
requests = json.loads(Path(requests_file).read_text("utf-8"))
configuration = Configuration(host=base_url, api_key={"accessToken": os.environ["PROVIDER_TOKEN"]})

with ApiClient(configuration) as client:
    providers = ProvidersApi(client)
    created = providers.create_provider(ProviderCreate.from_dict(requests["create"]))
    shown = providers.show_provider(created.id)
    assert shown.name == requests["create"]["name"]
    assert shown.protocol is Protocol.UDP

    listed = providers.list_providers(1, 10, SortBy.DEFAULT)
    assert [provider.id for provider in listed.providers] == [created.id]

    providers.update_provider(ProviderUpdate.from_dict(requests["update"] | {"id": created.id}))
    assert providers.show_provider(created.id).protocol is Protocol.TCP

    providers.destroy_provider(ProviderDestroy(id=created.id))
    try:
        providers.destroy_provider(ProviderDestroy(id=created.id))
    except ApiException as error:
        assert error.status == 400  # noqa: PT017 - no test of pytest, which is not there
    else:
        raise AssertionError("what is gone can be destroyed again")
