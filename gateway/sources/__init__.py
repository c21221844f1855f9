"""Adapters of the services' repository ports, and what loads the embedded sources."""
