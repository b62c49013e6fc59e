// Compiled with the types that openapi-typescript made, and never run: what it must refuse is marked as an error.
import type { components, operations } from "./contract";

type Create = components["schemas"]["ProviderCreate"];
type Listed = operations["listProviders"]["responses"][200]["content"]["application/json"];

export const trunk: Create = {
  name: "Example Telecom",
  auth_mode: "REGISTER_AUTH",
  protocol: "UDP",
  hostname: "sip.example.com",
  port: 5060,
  outbound_server: "proxy.example.com",
  outbound_server_port: 5060,
  require_register: true,
  reregister_interval: 3600,
  auth_id: "example-pbx",
  password: "not-a-real-secret",
  ips: ["192.0.2.10"],
  provider_in_lan: false,
  single_via_header: false,
  status: "ONLINE",
};

// @ts-expect-error - the transport protocols are UDP and TCP
export const overTls: Create = { ...trunk, protocol: "TLS" };

// @ts-expect-error - a port is a number
export const portInWords: Create = { ...trunk, port: "5060" };

// @ts-expect-error - all properties are required
export const nameless: Create = { port: 5060 };

export const query: operations["listProviders"]["parameters"]["query"] = { pagination: 1, pagesize: 10 };

// A page may lack its providers, and a provider all but its id.
export function firstName(page: Listed): string | undefined {
  return page.providers?.[0]?.name;
}
