"""The Alembic environment; `Database.migrate()` runs it, from a checkout or an installed package."""
