// Calls all five operations with the client that openapi-generator made: `... BASE_URL REQUESTS.JSON`.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"

	provider "example.com/provider/client"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func expect(holds bool, what string) {
	if !holds {
		log.Fatal(what)
	}
}

func main() {
	text, err := os.ReadFile(os.Args[2])
	check(err)
	var requests struct {
		Create provider.ProviderCreate
		Update provider.ProviderUpdate
	}
	check(json.Unmarshal(text, &requests))

	configuration := provider.NewConfiguration()
	configuration.Servers = provider.ServerConfigurations{{URL: os.Args[1]}}
	keys := map[string]provider.APIKey{"accessToken": {Key: os.Getenv("PROVIDER_TOKEN")}}
	ctx := context.WithValue(context.Background(), provider.ContextAPIKeys, keys)
	providers := provider.NewAPIClient(configuration).ProvidersAPI

	created, _, err := providers.CreateProvider(ctx).ProviderCreate(requests.Create).Execute()
	check(err)
	shown, _, err := providers.ShowProvider(ctx).Id(created.Id).Execute()
	check(err)
	expect(shown.GetProtocol() == provider.UDP, "show gives what was created")

	listed, _, err := providers.ListProviders(ctx).Pagination(1).Pagesize(10).SortBy(provider.DEFAULT).Execute()
	check(err)
	expect(len(listed.Providers) == 1 && listed.Providers[0].Id == created.Id, "list gives what was created")

	requests.Update.Id = created.Id
	_, err = providers.UpdateProvider(ctx).ProviderUpdate(requests.Update).Execute()
	check(err)
	shown, _, err = providers.ShowProvider(ctx).Id(created.Id).Execute()
	check(err)
	expect(shown.GetProtocol() == provider.TCP, "show gives what was updated")

	named := provider.ProviderDestroy{Id: created.Id}
	_, err = providers.DestroyProvider(ctx).ProviderDestroy(named).Execute()
	check(err)
	answer, err := providers.DestroyProvider(ctx).ProviderDestroy(named).Execute()
	expect(err != nil && answer.StatusCode == 400, "what is gone cannot be destroyed again")
}
