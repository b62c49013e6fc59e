"""What a run takes at most, of requests, of time and of what a target sends."""

from __future__ import annotations

LONGEST_WAIT = 60.0
"""Seconds that one Retry-After is waited for; a system that asks for more cannot be tested now."""

FOR_EVER = 1e9
"""Seconds that any longer Retry-After is taken for."""

MOST_WAITS = 8
"""How often one request is repeated for 429 and 503; a system that refuses longer cannot be tested now."""

MOST_TIMEOUTS = 3
"""Exchanges in a row without an answer after which the target counts as lost."""

MOST_TIMEOUTS_IN_ALL = 20
"""Exchanges without an answer after which the target counts as lost, whatever it answers in between."""

HUGE_ANSWER = 1024 * 1024
MOST_HUGE_ANSWERS = 8
"""Answers of more bytes than that after which a run ends: no honest ones are so large, and parsing them takes long."""

MOST_REQUESTS = 40_000
"""Requests of a run, ten times as many as one without any trouble sends; beyond them it ends."""

LARGEST_ANSWER = 1536 * 1024
"""Bytes; a hundred providers take some 100 KiB, so nothing honest comes near. Parsed, they take thirty times that."""

CLEANING_TIME = 30.0
"""Seconds that destroying what is left may take at the end of a run."""
