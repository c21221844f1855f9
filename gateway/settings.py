"""Every setting of a gateway, read once at start: from `KSZ_…` environment variables, then from a TOML file, then from
the defaults under the state directory. A wrong or unknown setting stops the start, with all of them named together.
"""

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from authz.ssin import Environment
from gateway.address import Address
from gateway.source_settings import SourceSettings, check_sources, under

SETTINGS_FILE = "gateway.toml"
PREFIX = "KSZ_"


class InvalidSettings(Exception):
    """One line per setting that is wrong, each saying which and why."""


class Settings(BaseSettings):
    """See docs/settings.md, which is generated from these descriptions."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    state: Path = Field(
        Path("var"),
        description="Directory of everything that this gateway keeps; the defaults of other paths lie in it.",
    )
    environment: Environment = Field(
        Environment.TEST,
        description="test, acceptance or production. Production refuses synthetic SSINs, the others expect them.",
    )
    database_url: str = Field(
        "",
        description="Default: SQLite in `ksz.db`. PostgreSQL: postgresql://user@host/name, with libpq's parameters"
        " after a `?`; a password is better kept in a file that `passfile` or `PGPASSFILE` names.",
    )
    public_url: str = Field(
        "https://127.0.0.1:8443",
        pattern=r"^https?://[^\s?#]+[^\s?#/]$",
        description="The address at which clients reach this gateway; it stands in the WSDLs and in error messages.",
    )
    bind: Address = Field(
        "127.0.0.1:8443",
        description="HOST:PORT of the SOAP services, or unix:/path behind a proxy on the same machine.",
    )
    management_bind: Address = Field(
        "127.0.0.1:8081",
        description="HOST:PORT of /live, /ready, /ping and /metrics, plain HTTP: keep it off public networks.",
    )
    tls: bool = Field(
        True,
        description="Serve TLS ourselves. False only behind a proxy on the same machine that terminates TLS.",
    )
    workers: int = Field(2, ge=1, le=64, description="Worker processes.")
    pin_workers: bool = Field(
        True,
        description="Keep each worker to one processor, which saves a third of what a request costs. False where "
        "something else decides who runs where.",
    )
    threads: int = Field(
        8, ge=1, le=256, description="Threads of each worker: the exchanges it can have in hand at a time."
    )
    max_message_bytes: int = Field(
        256 * 1024, ge=1024, le=16 * 1024 * 1024, description="Largest message accepted, in bytes."
    )
    message_max_age: int = Field(
        300, ge=10, le=3600, description="Seconds after its Timestamp's Created that a message is accepted."
    )
    clock_skew: int = Field(60, ge=0, le=600, description="Seconds that a client's clock may be ahead of ours.")
    address_rate: int = Field(
        300,
        ge=0,
        le=100_000,
        description="Requests a second that an IPv4 address or IPv6 /64 network may send to each worker, before any"
        " of it is read; as many as in two seconds may come at once. 0: no limit.",
    )
    client_rate: int = Field(
        300,
        ge=0,
        le=100_000,
        description="Requests a second that a client may send to each worker, HealthCheck included, beside its annex's"
        " quota; as many as in two seconds may come at once. 0: no limit.",
    )
    trusted_proxies: tuple[str, ...] = Field(
        (),
        description="Addresses of the reverse proxies whose certificate header is believed; `local`: of a unix socket.",
    )
    proxy_certificate_header: str = Field(
        "X-Client-Cert",
        pattern=r"^[A-Za-z0-9-]+$",
        description="Header in which a trusted proxy hands over the client's certificate, DER in base64.",
    )
    tls_certificate: Path = Field(
        Path("pki/gateway.pem"), description="PEM certificate (with chain) that the gateway serves TLS with."
    )
    tls_key: Path = Field(Path("pki/gateway.key"), description="PEM key of the TLS certificate.")
    signing_certificate: Path = Field(
        Path("pki/gateway.pem"), description="PEM certificate that replies are signed with."
    )
    signing_key: Path = Field(
        Path("pki/gateway.key"),
        description="PEM key that replies are signed with: RSA of 2048 bits or more, or EC P-256.",
    )
    client_ca: Path = Field(
        Path("pki/ca.pem"),
        description="PEM certificates of the authorities that client certificates must come from.",
    )
    client_crl: Path | None = Field(
        Path("pki/crl.pem"),
        description="PEM revocation list of those authorities; read again when it changes. Empty: none.",
    )
    audit_keys: Path = Field(
        Path("keys/audit"),
        description="Directory of the monthly audit keys. Never in the database, nor in its backups.",
    )
    audit_reading_key: Path = Field(
        Path("pki/auditor.pub"),
        description="The auditor's public key (`ksz-gateway audit key`): what is sealed is read with the private one.",
    )
    audit_retention_years: int = Field(
        10, ge=1, le=100, description="Years for which the audit of a month is kept before `audit erase` may erase it."
    )
    audit_log_key: Path = Field(
        Path("keys/audit-log.key"),
        description="PEM key (Ed25519) that the audit's log is signed with, made by migrate with its public"
        " half beside it (`.pub`); all nodes share it.",
    )
    audit_log_origin: str = Field(
        "ksz-gateway/audit",
        pattern=r"^[^\s+]+$",
        description="Name of the log in its checkpoints, best with the gateway's own host: never changed afterwards.",
    )
    audit_time_stamp_url: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="RFC 3161 authority that stamps the log's checkpoints once a minute. Empty: none.",
    )
    audit_time_stamp_ca: Path | None = Field(
        None, description="PEM certificates of the authorities that the time stamps' certificate must come from."
    )
    annex_operators: Path = Field(
        Path("pki/operators"),
        description="Directory of the public keys of those who activate annexes, the same on every node; read again"
        " when it changes. See [annex activation](annex-activation.md).",
    )
    paging_key: Path = Field(
        Path("keys/paging.key"),
        description="Key of the `next` tokens of paged answers, made at the first start; all nodes share it.",
    )
    sources: dict[str, SourceSettings] = Field(
        default_factory=dict,
        description="The services whose source is another institution's, by name; see below and docs/sources.md.",
    )
    session_file: Path = Field(
        Path("~/.local/state/ksz-gateway/session"),
        description="File in which the `users` commands keep a person's session token from login to logout.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severity that is logged."
    )
    log_format: Literal["json", "console"] = Field("json", description="json for machines, console for people.")

    @property
    def health_snapshot(self) -> Path:
        """Where the management process of this node leaves its measurements for the workers."""
        return self._run_directory / "health.json"

    @property
    def metrics_directory(self) -> Path:
        """Where the workers of this node keep what they count, until the next start."""
        return self._run_directory / "metrics"

    @property
    def _run_directory(self) -> Path:
        """What lasts no longer than a gateway runs: by its address, since several may share a state."""
        return self.state / "run" / self.bind.replace("/", "-")

    @field_validator("client_crl", "audit_time_stamp_ca", mode="before")
    @classmethod
    def _none_if_empty(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("database_url", mode="after")
    @classmethod
    def _with_driver(cls, value: str) -> str:
        """Name the driver; the messages do not repeat the value, which may hold a password."""
        scheme, separator, rest = value.partition("://")
        if scheme not in _DRIVERS:
            raise PydanticCustomError("database_url", "must begin with postgresql:// or sqlite:///")
        url = _DRIVERS[scheme] + separator + rest
        try:
            make_url(url or "sqlite://")
        except (ArgumentError, ValueError):
            raise PydanticCustomError("database_url", "is no URL of a database") from None
        return url

    @field_validator("sources", mode="after")
    @classmethod
    def _remote(cls, value: dict[str, SourceSettings]) -> dict[str, SourceSettings]:
        return check_sources(value)

    @field_validator("session_file", mode="after")
    @classmethod
    def _at_home(cls, value: Path) -> Path:
        try:
            return value.expanduser().absolute()
        except RuntimeError:
            raise PydanticCustomError("session_file", "names the home of an account that is not there") from None

    @field_validator("state", mode="after")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.absolute()

    def model_post_init(self, context: Any) -> None:
        """Put relative paths, and the default database, under the state directory."""
        for name in _PATHS:
            path = getattr(self, name)
            if path is not None:
                object.__setattr__(self, name, self.state / path)
        remote = {name: under(self.state, source) for name, source in self.sources.items()}
        object.__setattr__(self, "sources", remote)
        if not self.database_url:
            object.__setattr__(self, "database_url", f"sqlite:///{self.state / 'ksz.db'}")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What the command line gives comes first, then the environment, then the file."""
        given = init_settings()
        state = Path(given.get("state") or os.environ.get(f"{PREFIX}STATE") or "var")
        file = TomlConfigSettingsSource(settings_cls, toml_file=state / SETTINGS_FILE)
        return (init_settings, env_settings, file)


# What databases are called, and by which driver they are reached; none: the default.
_DRIVERS = {
    "": "",
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}

_PATHS = (
    "tls_certificate",
    "tls_key",
    "signing_certificate",
    "signing_key",
    "client_ca",
    "client_crl",
    "audit_keys",
    "audit_reading_key",
    "audit_log_key",
    "audit_time_stamp_ca",
    "annex_operators",
    "paging_key",
)


def load_settings(**given: Any) -> Settings:
    """Read the settings; `given` are those of the command line. InvalidSettings names every mistake."""
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise InvalidSettings(
            "\n".join(f"{'.'.join(map(str, each['loc']))}: {_say(each)}" for each in error.errors())
        ) from None
    except ValueError as error:
        # No TOML, no UTF-8, or a number of thousands of digits; Python adds how its limit could be lifted.
        raise InvalidSettings(f"{SETTINGS_FILE}: {str(error).partition(';')[0]}") from None
    unknown = _unknown_variables()
    if unknown:
        raise InvalidSettings("\n".join(f"{name}: there is no such setting" for name in unknown))
    return settings


def _say(error: ErrorDetails) -> str:
    if error["type"] == "value_error":
        return f"{error['input']}: {error['ctx']['error']}"
    return error["msg"]


def _unknown_variables() -> list[str]:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    return sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
