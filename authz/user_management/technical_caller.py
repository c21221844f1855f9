"""Technical users as callers: who sends with a certificate, for which services, and as what for employers."""

from datetime import date

from authz.annex import RoleHolder
from authz.employer_access import RelationKind
from authz.organisation import Organisation
from authz.user_management.model import Channel, EnterpriseAccount, Quality

# A technical user acts in its own quality: whoever sends for the enterprise as employer sends for none of its clients.
_ACTS_AS = {
    Quality.EMPLOYER: frozenset({RelationKind.OWN}),
    Quality.RECOGNISED_SOCIAL_SECRETARIAT: frozenset({RelationKind.RECOGNISED_SECRETARIAT}),
    Quality.SERVICE_PROVIDER: frozenset({RelationKind.MANDATARY}),
}


def find_technical_caller(account: EnterpriseAccount, fingerprint: str, day: date) -> RoleHolder | None:
    """Return who sends with the certificate of this fingerprint on that day, in Brussels; None if nobody may.

    Only the web-service channel calls, of an enterprise that exists and still has the quality.
    """
    enterprise = account.enterprise
    for each in account.technical_users.values():
        if each.certificate.fingerprint != fingerprint:
            continue
        if each.channel is not Channel.WEB_SERVICE or each.quality not in enterprise.qualities:
            return None
        if enterprise.is_struck_off(day):
            return None
        return RoleHolder(
            client=f"technical-user:{each.sender_number}",
            organisation=Organisation(cbe_number=enterprise.number),
            name=enterprise.name,
            applications=each.services,
            acts_as=_ACTS_AS.get(each.quality, frozenset()),
        )
    return None
