"""What `provider-conformance init` writes."""

from __future__ import annotations

TEMPLATE = """\
# Settings of provider-conformance: every option of `run`. Options on the command line win over this file, and it over
# the defaults, which stand here after the names. Keep the token out of it: use token-file, or the variable
# PROVIDER_TOKEN.

# The system under test
# base-url = "https://pbx.example/api/providers"
# token-file = "/run/secrets/provider-token"

# How it is reached
# timeout = 10.0            # seconds that one exchange may take
# rate = 50.0               # most requests a second; no limit unless given
# workers = 1               # requests under way at a time, of tests that run side by side
# proxy = "http://proxy.example:3128"   # "" for none, whatever the environment says
# cacert = "authority.pem"
# cert = "client.pem"
# key = "client.key"
# [header] must stand below all of these

# What is certified
# implementation = ""       # its name and version go into the report
# implementation-version = ""
# level = "hardened"        # core, strict or hardened
# only = []                 # a part: requirements, operations, levels; the verdict is then incomplete at best
# max-providers = 8         # most providers that a run holds at a time
# max-time = 7200.0         # seconds that a run may last
# examples = 24             # effort of the property-based tests
# seed = 20260101
# read-only = false         # create nothing; the verdict is then incomplete at best
# known-failures = "known-failures.toml"   # requirements that are known to fail, each with a reason; or instead of it
# baseline = "known-failures.toml"         # the same, written from what fails if the file is not there yet

# What comes of it
# report-dir = "provider-conformance-report"
# har = false               # write exchanges.har as well, all exchanges without secrets
# format = "text"           # "github" annotates failures in GitHub Actions

# What an operator of this system may send, where it takes less than the documentation allows
# [plausible]
# domains = ["sip.example.com"]         # hosts are made below these
# networks = ["192.0.2"]                # three numbers each: addresses, of hosts too, are made in these
# ports = [1, 65535]                    # the lowest and the highest
# intervals = [30, 86400]               # seconds, of reregister_interval
# characters = " .-_@+"                 # what text may have besides letters and digits
# longest_text = 64
# most_ips = 8
# in_parameters = []                    # items that update may send
# out_parameters = []

# Headers that go with every request
# [header]
# X-Tenant = "acme"
"""
