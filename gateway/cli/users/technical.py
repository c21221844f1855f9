"""`users technical …`: technical users, who send structured messages."""

from pathlib import Path
from typing import Annotated

import typer

from authz.user_management.commands import (
    CheckFiles,
    Command,
    ConfigureTechnicalUser,
    DeleteTechnicalUser,
    ReplaceTechnicalUser,
)
from authz.user_management.model import CertificateKind, Channel, FixedNetwork, Quality
from gateway.cli.output import JsonOption, StateOption, console, errors, print_json, print_table
from gateway.cli.terminal import confirm
from gateway.cli.users.acting import EnterpriseOption, acting, show_events, split
from gateway.cli.users.certificate import read_certificate
from gateway.users.documents import to_document

app = typer.Typer(help="Structured messages: technical users, sender numbers.", no_args_is_help=True)

SenderArgument = Annotated[str, typer.Argument(metavar="SENDER", help="Sender number, six digits.")]
ContactOption = Annotated[str, typer.Option("--contact", metavar="NAME", help="Name of the technical contact person.")]
ChannelOption = Annotated[Channel, typer.Option(metavar="CHANNEL", help="sftp, ftp or web_service.")]
FileOption = Annotated[Path, typer.Option("--certificate", metavar="FILE", help="PEM file of the certificate.")]
KindOption = Annotated[
    CertificateKind,
    typer.Option("--certificate-kind", metavar="KIND", help="eid_signature, personalsign_3_pro or other."),
]
ServicesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--service", metavar="NAME", help="Application to send messages for, such as dimona; may be repeated."
    ),
]
NetworkOption = Annotated[
    FixedNetwork | None,
    typer.Option(
        metavar="NETWORK", help="Fixed FTP network of provincial and local administrations, such as publilink."
    ),
]


@app.command()
def add(
    quality: Annotated[Quality, typer.Argument(metavar="QUALITY", help="For which quality: employer, …")],
    contact: ContactOption,
    channel: ChannelOption,
    certificate: FileOption,
    service: ServicesOption = None,
    kind: KindOption = CertificateKind.OTHER,
    network: NetworkOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set up structured messages: gives a sender number, which stands in the name of every file.

    Example: [cyan]ksz-gateway users technical add employer --contact "ICT desk" --channel web_service
    --certificate messages.pem --service dimona[/]
    """
    known = read_certificate(certificate, kind)
    _run(ConfigureTechnicalUser(quality, contact, channel, known, split(service), network), state, as_json)


@app.command()
def replace(
    sender: SenderArgument,
    contact: ContactOption,
    channel: ChannelOption,
    certificate: FileOption,
    service: ServicesOption = None,
    kind: KindOption = CertificateKind.OTHER,
    network: NetworkOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put another person, channel, certificate and services behind a sender number."""
    known = read_certificate(certificate, kind)
    _run(ReplaceTechnicalUser(sender, contact, channel, known, split(service), network), state, as_json)


@app.command()
def delete(
    sender: SenderArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: delete.")] = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Stop structured messages under a sender number, after showing what it is and asking."""
    with acting(state) as command:
        technical = command.account().technical_users.get(sender)
        if technical is not None and not yes:
            for name, value in to_document(technical).items():
                errors.print(f"{name}: {value}", markup=False, soft_wrap=True)
            yes = confirm("Delete this technical user?")
        show_events(command.run(DeleteTechnicalUser(sender, confirmed=yes)), as_json)


@app.command()
def check(
    sender: SenderArgument,
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Names of the files to send together.")],
    state: StateOption = None,
) -> None:
    """Check the names of files before they are sent: each has the sender number, and SFTP and FTP sign theirs."""
    with acting(state) as command:
        command.run(CheckFiles(sender, tuple(files)))
    console.print("These files can be sent.")


@app.command("list")
def list_(enterprise: EnterpriseOption = None, state: StateOption = None, as_json: JsonOption = False) -> None:
    """List the technical users of an enterprise."""
    with acting(state, enterprise) as command:
        found = [to_document(each) for each in command.account().technical_users.values()]
    if as_json:
        print_json(found)
        return
    print_table(
        ("sender number", "quality", "contact", "channel", "services", "certificate valid to"),
        (
            (
                each["sender_number"],
                each["quality"],
                each["contact_name"],
                " ".join(filter(None, (each["channel"], each["network"]))),
                ", ".join(each["services"]),
                each["certificate"]["not_after"],
            )
            for each in found
        ),
    )


def _run(wanted: Command, state: Path | None, as_json: bool) -> None:
    with acting(state) as command:
        show_events(command.run(wanted), as_json)
