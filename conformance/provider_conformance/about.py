"""What the installed distribution says about itself."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, metadata

DISTRIBUTION = "sip-provider-conformance"
EMBEDDED = "embedded reference implementation"
"""What reports call the implementation under test where no other was named."""
TRACKER_LABELS = ("issues", "tracker", "bug tracker", "source", "homepage")


def tracker() -> str:
    """Return where defects are reported: the first fitting project URL of the package's metadata."""
    try:
        entries = metadata(DISTRIBUTION).get_all("Project-URL") or []
    except PackageNotFoundError:  # run from a checkout that is not installed
        entries = []
    urls = {label.strip().lower(): url.strip() for label, _, url in (e.partition(",") for e in entries)}
    found = next((urls[label] for label in TRACKER_LABELS if label in urls), None)
    return found or "the project's issue tracker"
