"""How long certificates and revocation lists still hold, and from when on that is a problem."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

from gateway.health.measure import Finding, worst_of
from gateway.wss.trust import Trust
from services.health import State


@dataclass(frozen=True, slots=True)
class Margin:
    """What is left when somebody should act, and when it counts as ended."""

    warning: timedelta
    critical: timedelta


CERTIFICATE = Margin(timedelta(days=30), timedelta(days=1))
REVOCATION_LIST = Margin(timedelta(hours=12), timedelta(0))


def judge_validity(validity: tuple[datetime, datetime], now: datetime) -> Finding:
    """Judge a certificate of ours."""
    begin, end = validity
    if now < begin:
        return Finding(State.NOK, "the certificate is not valid yet")
    return _judge("the certificate", end, now, CERTIFICATE)


def judge_authorities(trust: Trust, now: datetime) -> Finding:
    """Judge the authorities of the clients: NOK when none is left, since one may be about to follow another."""
    findings = [_judge(name.rfc4514_string(), end, now, CERTIFICATE) for name, end in trust.authorities.items()]
    worst = _worst(findings)
    if worst.state is State.NOK and any(each.state is not State.NOK for each in findings):
        return Finding(State.DEGRADED, worst.detail)
    return worst


def judge_revocation_lists(trust: Trust, now: datetime) -> Finding:
    """Judge the list of each authority that is valid: without one its clients are refused."""
    lists = trust.next_updates
    if lists is None:
        return Finding(State.OK, "no revocation lists are configured")
    return _worst([_judge_list(name, lists, now) for name, end in trust.authorities.items() if end > now])


def _judge_list(name: x509.Name, lists: Mapping[x509.Name, datetime], now: datetime) -> Finding:
    authority = name.rfc4514_string()
    end = lists.get(name)
    if end is None:
        return Finding(State.NOK, f"there is no list of {authority}")
    return _judge(f"the list of {authority}", end, now, REVOCATION_LIST)


def _judge(what: str, end: datetime, now: datetime, margin: Margin) -> Finding:
    left = end - now
    if left <= timedelta(0):
        return Finding(State.NOK, f"{what} has ended on {end:%Y-%m-%d}")
    state = State.NOK if left <= margin.critical else State.DEGRADED if left <= margin.warning else State.OK
    return Finding(state, f"{what} ends in {left.days} days")


def _worst(findings: list[Finding]) -> Finding:
    return worst_of(findings) if findings else Finding(State.NOK, "there is no authority")
