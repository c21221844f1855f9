"""`users …`: User Management, each command in the session of the person who is logged in."""

import typer

from gateway.cli.users import (
    affiliation,
    appointment,
    enterprise,
    history,
    importing,
    login,
    mandate,
    operator,
    own,
    password,
    people,
    role,
    technical,
)

app = typer.Typer(
    help="User Management: who of which enterprise may use which secured application.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
for module in (login, people, importing):
    module.register(app)
for module, name in (
    (own, "own"),
    (password, "password"),
    (role, "role"),
    (technical, "technical"),
    (mandate, "mandate"),
    (affiliation, "affiliation"),
    (appointment, "appointment"),
    (enterprise, "enterprise"),
    (operator, "operator"),
    (history, "history"),
):
    app.add_typer(module.app, name=name)
