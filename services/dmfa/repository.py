"""The port behind which the registers of attestations stand: `gateway/sources/` has its adapter, the tests a fake."""

from typing import Protocol

from services.dmfa.attestation import AttestationPage, AttestationSearch


class DmfaRepository(Protocol):
    """Asks the NSSO, and the register of provincial and local employers.

    May raise `SourceUnavailable` (it cannot be asked now), `SourceAnswerInvalid` (it answered what it may not),
    `SsinUnknownToSource` or `SourceCommunicationFailed` (the exchange broke off).
    """

    def find_attestations(self, search: AttestationSearch, limit: int) -> AttestationPage:
        """Return at most `limit` versions that meet every criterion.

        A version whose register did not deliver its quarter is left out, and stands in `missing`, whatever the
        page.
        """
        ...
