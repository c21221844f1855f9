"""Targets: what operators give the commands: inscriptions and accounts as CSV, `--set path=value`, settings."""

import io
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any

from authz.ssin import Environment
from fixtures.persons import generate
from fuzz.changes import SSINS, VALUES
from fuzz.target import Tried, Try, randomness, try_reading
from fuzz.texts import change_file, words_of
from gateway.cli.criteria import fill_request
from gateway.cli.output import Problem
from gateway.contracts import OperationContract, load_contracts
from gateway.inscription_lines import COLUMNS, Spool, read_into
from gateway.settings import SETTINGS_FILE, InvalidSettings, load_settings
from gateway.users.bulk import KINDS
from gateway.users.lines import LineRefused, read_rows
from gateway.xml.binding import compile_writer
from gateway.xml.model import SimpleType

_INSCRIPTIONS = "\n".join(
    [
        ",".join(COLUMNS),
        *(f"{person.ssin},0999900150,PCSA:FILE,2024-01-01," for person in generate(1, 4)),
        *(f"{ssin},21/0,SIGEDIS:FILE,2020-02-29,2024-12-31" for ssin in SSINS[:4]),
        "",
    ]
)
_ACCOUNTS: Mapping[str, str] = {
    "enterprises": "0999930141,Brouwerij De Proef nv,014,employer;enterprise,0192020132,,,,2024-01-01,region\n"
    "0999930240,Stad,,,,5099000163,2026-01-01,local,flanders\n",
    "users": "0999930141,chief,Peeters,Anna,75631290176,enterprise,employee,,a@example.org,,nl,,,yes,no\n"
    '0999930141,user,"D\'Hondt, ""Jan""",Jan,,,manager,jan,,02/123,fr,dimona;dmfa,2,no,\n',
    "affiliations": "0999930141,0999930240,2024-01-01,\n0999930141,0999930240,2024-01-01,2024-12-31\n",
    "mandates": "0999930141,0999930240,DMFA,2024Q1,,yes,no,\n"
    "0999930141,0999930240,DIMONA,2024Q1,2024Q4,yes,yes,2024-02-29\n",
}
_SETTINGS = """\
environment = "test"
database_url = "postgresql://ksz@db.example.org:5432/ksz?sslmode=verify-full"
public_url = "https://gateway.example.org/ksz"
bind = "127.0.0.1:8443"
management_bind = "[::1]:8081"
workers = 4
tls = false
trusted_proxies = ["local", "10.0.0.9"]
client_crl = ""
audit_retention_years = 10
log_level = "info"
session_file = "~/.session"

[sources."SelfEmployedService/v2"]
cbe_number = "0999900150"
legal_context = "KSZ:SOURCES"
deadline_seconds = 2.5

[sources."SelfEmployedService/v2".remote]
address = "https://rsvz.example.org/SelfEmployedService/v2/consult"
certificate = "pki/rsvz.pem"

[sources."SelfEmployedService/v2".funds."003"]
address = "http://127.0.0.1:9000/funds/003"
certificate = "pki/fund.pem"
authority = "pki/ca.pem"
"""


@contextmanager
def open_inscriptions() -> Iterator[Try]:
    """Read a changed file of inscriptions, as `inscriptions import` does before it writes."""
    words = words_of([_INSCRIPTIONS])

    def attempt(seed: int, number: int) -> Tried:
        random = randomness("inscriptions", seed, number)
        content = change_file(random, _INSCRIPTIONS, words)

        def read() -> None:
            with (
                io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="") as lines,
                closing(Spool()) as spool,
            ):
                problems = list(read_into(spool, lines, Environment.TEST))
                list(spool.chunks())
            if problems:
                raise Problem("; ".join(map(str, problems)))

        return try_reading(content, read, (Problem, UnicodeDecodeError), about_persons=True)

    yield attempt


@contextmanager
def open_accounts() -> Iterator[Try]:
    """Read the lines of a changed file of enterprises, users, affiliations or mandates."""
    texts = {kind: ",".join(KINDS[kind].columns) + "\n" + lines for kind, lines in _ACCOUNTS.items()}
    words = words_of(list(texts.values()))

    def attempt(seed: int, number: int) -> Tried:
        random = randomness("accounts", seed, number)
        kind = random.choice(list(texts))
        content = change_file(random, texts[kind], words)

        def read() -> None:
            read_lines = [
                row if isinstance(row, LineRefused) else _reading(KINDS[kind].read, row)
                for _, row in read_rows(io.BytesIO(content), KINDS[kind].columns)
            ]
            refused = [line for line in read_lines if isinstance(line, LineRefused)]
            if len(refused) == len(read_lines):
                raise LineRefused("all", "; ".join(map(str, refused)))

        return try_reading(content, read, (LineRefused,), about_persons=True)

    yield attempt


def _reading(read: Callable[[Any], object], row: Any) -> object:
    try:
        return read(row)
    except LineRefused as refused:
        return refused


@contextmanager
def open_criteria() -> Iterator[Try]:
    """Fill the criteria of any operation from changed settings, and write the request."""
    operations = [each for service in load_contracts().services.values() for each in service.operations.values()]

    def attempt(seed: int, number: int) -> Tried:
        random = randomness("criteria", seed, number)
        operation = random.choice(operations)
        settings = [_make_setting(random, operation) for _ in range(random.choice((1, 1, 2, 4)))]
        request: dict[str, Any] = {}

        def read() -> str:
            fill_request(operation, request, settings)
            compile_writer(operation.request, operation.service.namespace, "v")(request)
            return operation.descriptor.name

        return try_reading("\n".join(settings).encode("utf-8", "surrogatepass"), read, (Problem,))

    yield attempt


_FITTING: Mapping[str, tuple[str, ...]] = {
    "date": ("2024-02-29", "0001-01-01", "9999-12-31", "2024-02-30"),
    "dateTime": ("2024-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "2024-01-01T24:00:00Z"),
    "boolean": ("true", "0", "yes"),
}


def _make_setting(random: Random, operation: OperationContract) -> str:
    path, element = random.choice(list(operation.request.paths()))
    fitting = _FITTING.get(element.type.builtin, ("1", "12", "abc")) if isinstance(element.type, SimpleType) else ("x",)
    if random.random() < 0.2:
        path = path.replace("/", random.choice(("[1]/", "[2]/", "[0]/", "[99999]/", "//", "[1][1]/", "[/")), 1)
    if random.random() < 0.3:
        path = path.removeprefix("criteria/")
    value = random.choice(fitting) if random.random() < 0.6 else random.choice(VALUES)
    return random.choice((f"{path}={value}",) * 8 + (f"{path}{value}", f"={value}"))


@contextmanager
def open_settings() -> Iterator[Try]:
    """Load settings from a changed gateway.toml."""
    words = words_of([_SETTINGS])
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / SETTINGS_FILE

        def attempt(seed: int, number: int) -> Tried:
            random = randomness("settings", seed, number)
            content = change_file(random, _SETTINGS, words)
            file.write_bytes(content)
            return try_reading(content, lambda: _load(directory), (InvalidSettings,))

        yield attempt


def _load(directory: str) -> None:
    load_settings(state=directory)
