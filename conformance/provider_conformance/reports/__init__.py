"""Renderings of one finished report: for people at a terminal, for scripts and for CI servers."""
