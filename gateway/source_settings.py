"""The settings of a remote source: where it is, how it is known, and how much trouble it may make us."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

# The services whose source can be another institution's; the only one that has funds; the only one whose contract has
# no legal context.
REMOTE_SERVICES = (
    "DimonaService/v1",
    "DmfaConsultationService/v1",
    "EmployerMandateConsultationService/v2",
    "EmployerRepertoryService/v1",
    "SelfEmployedService/v2",
)
WITH_FUNDS = "SelfEmployedService/v2"
WITHOUT_LEGAL_CONTEXT = "EmployerMandateConsultationService/v2"


def _check_address(text: str) -> str:
    url = urlsplit(text)
    if url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment or url.username:
        raise ValueError("write https://HOST/PATH")
    if url.scheme == "http" and not is_loopback(url.hostname):
        raise ValueError("a source on another machine is asked over https")
    return text


def is_loopback(host: str) -> bool:
    """Tell whether an address, which is no name, is this machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


SourceAddress = Annotated[str, AfterValidator(_check_address)]


class EndpointSettings(BaseModel):
    """A SOAP service of somebody else's, of the same contract as ours."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: SourceAddress = Field(description="https://HOST/PATH of the SOAP service; http only on this machine.")
    certificate: Path = Field(
        description="PEM certificate that the source signs with; two while it changes them. No other is believed."
    )
    authority: Path | None = Field(
        None, description="PEM authorities of its TLS certificate. Default: those that the system trusts."
    )


class SourceSettings(BaseModel):
    """A service's source that is not in our database: all of it (`address`), or the funds' part (`funds`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    remote: EndpointSettings | None = Field(
        None, description="Where the whole source is; without it what is not a fund's is asked of our own database."
    )
    funds: dict[Annotated[str, Field(pattern=r"^\d{3}$")], EndpointSettings] = Field(
        default_factory=dict, description="The social insurance funds by their codes (SelfEmployedService/v2 alone)."
    )
    cbe_number: str = Field(pattern=r"^[01]\d{9}$", description="The enterprise number as which we ask.")
    legal_context: str | None = Field(
        None,
        min_length=1,
        max_length=64,
        description=f"The legal context under which we ask; of every service but {WITHOUT_LEGAL_CONTEXT}.",
    )
    deadline_seconds: float = Field(
        3.0, ge=0.1, le=20, description="Seconds within which a question is answered, with all its calls."
    )
    calls: int = Field(8, ge=1, le=64, description="Calls in flight at a time, of one worker to one address.")
    failures: int = Field(5, ge=1, le=100, description="Failures in a row after which the source is left alone.")
    pause_seconds: float = Field(
        10.0, ge=0.1, le=600, description="Seconds for which it is left alone; then one call tries it."
    )
    max_reply_bytes: int = Field(
        4 * 1024 * 1024, ge=1024, le=64 * 1024 * 1024, description="Largest answer that is read, in bytes."
    )

    def endpoints(self) -> Iterator[EndpointSettings]:
        """Yield every address of the source."""
        if self.remote is not None:
            yield self.remote
        yield from self.funds.values()


def check_sources(sources: dict[str, SourceSettings]) -> dict[str, SourceSettings]:
    """Return them; ValueError for a service that has no remote source, or one with nothing remote."""
    for name, source in sources.items():
        if name not in REMOTE_SERVICES:
            raise ValueError(f"{name}: the source of one of {', '.join(REMOTE_SERVICES)} can be remote")
        if source.funds and name != WITH_FUNDS:
            raise ValueError(f"{name}: only {WITH_FUNDS} has funds")
        if name == WITHOUT_LEGAL_CONTEXT and source.legal_context is not None:
            raise ValueError(f"{name}: its contract has no legal context: leave out `legal_context`")
        if name != WITHOUT_LEGAL_CONTEXT and source.legal_context is None:
            raise ValueError(f"{name}: names no `legal_context`")
        if not any(source.endpoints()):
            raise ValueError(f"{name}: names neither `remote` nor `funds`")
    return sources


def list_endpoints(sources: Mapping[str, SourceSettings]) -> Iterator[tuple[str, EndpointSettings]]:
    """Yield every address by its name, which is that of its service, or a fund's."""
    for name, source in sources.items():
        if source.remote is not None:
            yield name, source.remote
        for code, endpoint in source.funds.items():
            yield fund_name(name, code), endpoint


def fund_name(service: str, code: str) -> str:
    """Return what a fund is called as a part of a service's source: `SelfEmployedService/v2 fund 003`."""
    return f"{service} fund {code}"


def under(directory: Path, source: SourceSettings) -> SourceSettings:
    """Return the settings with relative paths under the directory."""

    def place(endpoint: EndpointSettings) -> EndpointSettings:
        paths: dict[str, Any] = {"certificate": directory / endpoint.certificate}
        if endpoint.authority is not None:
            paths["authority"] = directory / endpoint.authority
        return endpoint.model_copy(update=paths)

    return source.model_copy(
        update={
            "remote": place(source.remote) if source.remote else None,
            "funds": {code: place(fund) for code, fund in source.funds.items()},
        }
    )
