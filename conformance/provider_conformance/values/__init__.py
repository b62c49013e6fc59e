"""The three classes of values: plausible ones must be accepted, unusual ones may be refused, illegal ones must be."""
