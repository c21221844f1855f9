"""Everything technical of the gateway: the pipeline and its adapters. `bootstrap` wires them."""
