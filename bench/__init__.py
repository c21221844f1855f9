"""How fast the gateway is, against others and against its own limit: `make bench`, `make bench-quick`.

Not part of the product and not of its tests. What a run measured last stands in `bench/RESULTS.md`.
"""
