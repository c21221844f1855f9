"""The names by which an annex is looked up: those of its client's certificates, or that of the role that it is for."""

from typing import Protocol

from authz.annex import Annex, Role, RoleAnnex


class Certificate(Protocol):
    """What of a certificate names a client."""

    @property
    def sha256(self) -> str:
        """The SHA-256 of its DER, in hex."""
        ...

    @property
    def issuer(self) -> str:
        """The issuer's name as RFC 4514 writes it."""
        ...

    @property
    def serial(self) -> int:
        """The serial number that the issuer gave."""
        ...


def names_of(annex: Annex | RoleAnnex) -> frozenset[str]:
    """Return the names by which an annex is looked up: those of its certificates, or that of its role."""
    if isinstance(annex, RoleAnnex):
        return frozenset({role_name(annex.role)})
    return frozenset(
        fingerprint_name(each.sha256) if each.sha256 else serial_name(each.issuer or "", each.serial or 0)
        for each in annex.certificates
    )


def role_name(role: Role) -> str:
    """Return the name of a role, for which there is one annex as there is for a certificate."""
    return f"role:{role}"


def fingerprint_name(sha256: str) -> str:
    """Return the name of a certificate by its SHA-256 in hex."""
    return f"sha256:{sha256.lower()}"


def serial_name(issuer: str, serial: int) -> str:
    """Return the name of a certificate by its issuer (RFC 4514) and serial number."""
    return f"serial:{serial}:{issuer}"
