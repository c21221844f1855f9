"""A compiled annex as a document for programs: what a decision looks things up in, not what somebody wrote."""

from typing import Any

from authz.annex import Annex, Grant, GrantKey, RoleAnnex


def to_document(annex: Annex | RoleAnnex) -> dict[str, Any]:
    """Return the annex; organisations by their keys, paths and contexts in alphabetical order."""
    return {
        "revision": annex.revision,
        "client": annex.client,
        **_who(annex),
        "methods": sorted(annex.methods),
        "signToken": annex.sign_token,
        "unsignedReplies": annex.unsigned_replies,
        "validFrom": annex.valid_from,
        "validUntil": annex.valid_until,
        "quota": {"perMinute": annex.quota.per_minute, "perDay": annex.quota.per_day},
        "grants": [_grant(key, grant) for key, grants in annex.grants.items() for grant in grants],
    }


def _who(annex: Annex | RoleAnnex) -> dict[str, Any]:
    if isinstance(annex, RoleAnnex):
        return {"kind": "enterprise", "role": annex.role}
    return {
        "kind": annex.kind,
        "identity": annex.identity.key,
        "represents": {organisation.key: each.name for organisation, each in annex.represents.items()},
        "certificates": [
            {"sha256": each.sha256} if each.sha256 else {"issuer": each.issuer, "serial": each.serial}
            for each in annex.certificates
        ],
    }


def _grant(key: GrantKey, grant: Grant) -> dict[str, Any]:
    service, operation, legal_context = key
    integration = grant.integration
    return {
        "service": service,
        "operation": operation,
        "legalContext": legal_context,
        "clause": grant.clause,
        "customers": sorted(each.key for each in grant.customers),
        "deliberation": grant.deliberation,
        "parameters": sorted(grant.parameters),
        "demands": [
            {"path": rule.path, "required": rule.required, "maxYearsBack": rule.max_years_back, "bounded": rule.bounded}
            for rule in grant.rules
        ],
        "withheld": grant.withheld,
        "dropped": grant.dropped,
        "integration": integration
        and {
            "contexts": sorted(integration.contexts),
            "daysBefore": integration.days_before,
            "daysAfter": integration.days_after,
        },
        "notified": grant.notified,
        "application": grant.application,
    }
