"""The names by which an annex is looked up: those of its client's certificates, or that of the role that it is for."""

from functools import lru_cache

from authz.annex import Annex, CertificateBinding, Role, RoleAnnex


# For each message: to look them up costs a tenth of putting them together.
@lru_cache(maxsize=16_384)
def certificate_names(bindings: tuple[CertificateBinding, ...]) -> frozenset[str]:
    """Return the names by which the certificates are looked up: by fingerprint, or by issuer and serial."""
    return frozenset(
        fingerprint_name(each.sha256) if each.sha256 else serial_name(each.issuer or "", each.serial or 0)
        for each in bindings
    )


def names_of(annex: Annex | RoleAnnex) -> frozenset[str]:
    """Return the names by which an annex is looked up: those of its certificates, or that of its role."""
    if isinstance(annex, RoleAnnex):
        return frozenset({role_name(annex.role)})
    return certificate_names(annex.certificates)


def role_name(role: Role) -> str:
    """Return the name of a role, for which there is one annex as there is for a certificate."""
    return f"role:{role}"


def fingerprint_name(sha256: str) -> str:
    """Return the name of a certificate by its SHA-256 in hex."""
    return f"sha256:{sha256.lower()}"


def serial_name(issuer: str, serial: int) -> str:
    """Return the name of a certificate by its issuer (RFC 4514) and serial number."""
    return f"serial:{serial}:{issuer}"
