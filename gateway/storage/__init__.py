"""The database: its tables, its migrations, and the one way in which the gateway writes to it."""
