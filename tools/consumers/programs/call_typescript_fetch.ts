// Calls all five operations with the client that openapi-generator made: `node ... BASE_URL REQUESTS.JSON`.
import { Configuration, Protocol, ProviderCreateFromJSON, ProviderUpdateFromJSON, ProvidersApi, ResponseError, SortBy } from "./client";

declare const process: { argv: string[]; env: Record<string, string | undefined>; exitCode: number };
declare const require: (path: string) => { create: object; update: object };

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

async function main(basePath: string, requestsFile: string): Promise<void> {
  const requests = require(requestsFile);
  const providers = new ProvidersApi(new Configuration({ basePath, apiKey: process.env["PROVIDER_TOKEN"] }));

  const { id } = await providers.createProvider({ providerCreate: ProviderCreateFromJSON(requests.create) });
  expect((await providers.showProvider({ id })).protocol === Protocol.Udp, "show gives what was created");

  const listed = await providers.listProviders({ pagination: 1, pagesize: 10, sortBy: SortBy.Default });
  expect(listed.providers?.length === 1 && listed.providers[0]?.id === id, "list gives what was created");

  await providers.updateProvider({ providerUpdate: ProviderUpdateFromJSON({ ...requests.update, id }) });
  expect((await providers.showProvider({ id })).protocol === Protocol.Tcp, "show gives what was updated");

  await providers.destroyProvider({ providerDestroy: { id } });
  const status = await providers.destroyProvider({ providerDestroy: { id } }).then(
    () => 200,
    (error: unknown) => (error instanceof ResponseError ? error.response.status : 0),
  );
  expect(status === 400, "what is gone cannot be destroyed again");
}

main(process.argv[2]!, process.argv[3]!).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
