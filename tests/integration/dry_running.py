"""Clients that ask for a dry run, and what they read of the explanation."""

from dataclasses import dataclass, replace
from typing import Any

from gateway_world import ROOT, SHAPES, Reply, World
from lxml import etree

from fixtures.messages import ZEEP, Shape

NAMESPACE = "urn:ksz-gateway:dry-run:v1"
BLOCK = f'<dry:dryRun xmlns:dry="{NAMESPACE}">true</dry:dryRun>'
SCHEMA = etree.XMLSchema(etree.parse(ROOT / "xsd" / "DryRunV1.xsd"))


@dataclass(frozen=True)
class DryRunning:
    """A world whose clients sign a dryRun block into every message; everything else is that of the world."""

    world: World
    block: str = BLOCK

    def __getattr__(self, name: str) -> Any:
        return getattr(self.world, name)

    def sign(self, payload: str, client: str = "pcsa", shape: Shape | None = None) -> bytes:
        signed = replace(shape or SHAPES.get(client, ZEEP), signed_headers=("dryRun",))
        return self.world.sign(payload, client, signed, self.block)


def explanation_of(reply: Reply) -> etree._Element:
    """Return the explanation in the Header, valid against its XSD."""
    found = reply.envelope.find(f"{{*}}Header/{{{NAMESPACE}}}explanation")
    assert found is not None
    alone = etree.fromstring(etree.tostring(found))
    SCHEMA.assertValid(alone)
    return alone


def checks_of(reply: Reply) -> dict[str, str]:
    """Return the results by the names of the checks, of a request about one person or none."""
    return {str(check.findtext("name")): str(check.findtext("result")) for check in explanation_of(reply).iter("check")}
