"""The requests: what they ask, in each contestant's form, signed or not.

As a .NET client writes them: indented, with WS-Addressing headers and namespaces that nobody needs.
"""

from collections.abc import Callable
from datetime import datetime
from random import Random

from bench.world import BEGIN, CUSTOMER, END, LEGAL_CONTEXT, World
from fixtures.messages import NSSO, sign

SELF_EMPLOYED = "http://kszbcss.fgov.be/intf/SelfEmployedService/v2"
HEALTH_CHECK = "http://kszbcss.fgov.be/intf/HealthCheckService/v1"

_ENVELOPE = """\
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema" \
xmlns:wsa="http://www.w3.org/2005/08/addressing">
  <soap:Header>
    <wsa:Action>{namespace}</wsa:Action>
    <wsa:MessageID>urn:uuid:00000000-0000-4000-8000-{number:012}</wsa:MessageID>
    <wsa:ReplyTo>
      <wsa:Address>http://www.w3.org/2005/08/addressing/anonymous</wsa:Address>
    </wsa:ReplyTo>
    <wsa:To>https://gateway.example.org/SelfEmployedService/v2/consult</wsa:To>
  </soap:Header>
  <soap:Body>
{payload}
  </soap:Body>
</soap:Envelope>"""

_CONTRIBUTIONS = """\
    <{root}>
      <informationCustomer>
        <ticket>BENCH-{number:09}</ticket>
        <timestampSent>{sent}</timestampSent>
        <customerIdentification>
          <cbeNumber>{customer}</cbeNumber>
        </customerIdentification>
      </informationCustomer>
      <legalContext>{legal_context}</legalContext>
      <criteria>
        <ssin>{ssin}</ssin>
        <period>
          <beginQuarter>{begin}</beginQuarter>
          <endQuarter>{end}</endQuarter>
        </period>
      </criteria>
    </{close}>"""

Write = Callable[[World, int, datetime, Random], bytes]
"""Makes message `number` of a pool, at a time."""


def contributions(world: World, number: int, now: datetime, random: Random) -> bytes:
    """Ask for the contributions of a person drawn at random, in the published contract's form."""
    root = f'v2:consultContributionsRequest xmlns:v2="{SELF_EMPLOYED}"'
    return _contributions(world, number, now, random, root, "v2:consultContributionsRequest")


def signed_contributions(world: World, number: int, now: datetime, random: Random) -> bytes:
    """Ask the same, signed over Body, Timestamp and token."""
    return sign(contributions(world, number, now, random), world.identity, now, NSSO)


def spyne_contributions(world: World, number: int, now: datetime, random: Random) -> bytes:
    """Ask the same of stock Spyne, which wants every element in the namespace."""
    return _contributions(
        world,
        number,
        now,
        random,
        f'consultContributionsRequest xmlns="{SELF_EMPLOYED}"',
        "consultContributionsRequest",
    )


def signed_spyne_contributions(world: World, number: int, now: datetime, random: Random) -> bytes:
    """Ask the same of stock Spyne, signed."""
    return sign(spyne_contributions(world, number, now, random), world.identity, now, NSSO)


def signed_ping(world: World, number: int, now: datetime, random: Random) -> bytes:
    """Ask for nothing but a sign of life, signed."""
    payload = (
        f'    <v1:HealthCheckRequest xmlns:v1="{HEALTH_CHECK}">'
        "<criteria><level>PING</level></criteria></v1:HealthCheckRequest>"
    )
    envelope = _ENVELOPE.format(namespace=HEALTH_CHECK, number=number, payload=payload)
    return sign(envelope.encode(), world.identity, now, NSSO)


def _contributions(world: World, number: int, now: datetime, random: Random, root: str, close: str) -> bytes:
    payload = _CONTRIBUTIONS.format(
        root=root,
        close=close,
        number=number,
        sent=now.isoformat(timespec="milliseconds"),
        customer=CUSTOMER,
        legal_context=LEGAL_CONTEXT,
        ssin=random.choice(world.ssins),
        begin=BEGIN,
        end=END,
    )
    return _ENVELOPE.format(namespace=SELF_EMPLOYED, number=number, payload=payload).encode()
