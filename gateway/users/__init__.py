"""User Management around the rules of `authz`: history, passwords, sessions, import and lookups."""
