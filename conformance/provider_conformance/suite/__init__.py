"""The suite: what a vendor runs and reads. One file an operation, one test or a few a requirement."""
