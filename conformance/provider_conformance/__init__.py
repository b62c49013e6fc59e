"""Black-box conformance suite for the SIP provider management API."""

__version__ = "0.1.0"
