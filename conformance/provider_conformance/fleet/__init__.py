"""Certifies many systems, on one machine or on a Dask cluster, and shows them side by side."""
