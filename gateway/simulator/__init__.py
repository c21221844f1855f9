"""Other institutions' services, played with the demo data on this machine, to try a gateway's remote sources with.

They are our own services, answered by our own pipeline, for one client: the gateway. Never for production.
"""
