"""DmfaConsultationService as Spyne knows it: one bare rpc per operation, in the contract's namespace.

The dispatch seam passes a Consultation in place of a parsed element and takes an Outcome in place of a reply.
The ports are the application's: `ctx.app.config.repository` and `ctx.app.config.page_tokens`.
"""

from typing import Any

from spyne import AnyXml, Service, rpc

from services.consultation import Consultation, Outcome
from services.dmfa import operations

NAMESPACE = "http://kszbcss.fgov.be/intf/DmfaConsultationService/v1"


class DmfaConsultation(Service):  # type: ignore[misc]  # Spyne is untyped.
    """Consults the attestations that the NSSO makes of employers' quarterly declarations."""

    @rpc(  # type: ignore[untyped-decorator]  # As above.
        AnyXml,
        _returns=AnyXml,
        _body_style="bare",
        _in_message_name=f"{{{NAMESPACE}}}consultDmfaAttestationsBySsinRequest",
        _out_message_name=f"{{{NAMESPACE}}}consultDmfaAttestationsBySsinResponse",
    )
    def consult_dmfa_attestations_by_ssin(ctx: Any, consultation: Consultation) -> Outcome:
        """Tell the attestations of a person."""
        config = ctx.app.config
        return operations.consult_attestations(consultation, config.repository, config.page_tokens)

    @rpc(  # type: ignore[untyped-decorator]  # As above.
        AnyXml,
        _returns=AnyXml,
        _body_style="bare",
        _in_message_name=f"{{{NAMESPACE}}}consultPersonnelByEmployerRequest",
        _out_message_name=f"{{{NAMESPACE}}}consultPersonnelByEmployerResponse",
    )
    def consult_personnel_by_employer(ctx: Any, consultation: Consultation) -> Outcome:
        """Answer that no batch can be promised."""
        return operations.consult_personnel(consultation)
