"""Packages that `annex export` makes, for the tests that look at them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from lxml import etree

from authz.annex import Annex, RoleAnnex
from authz.annex_document import read_any_annex
from authz.brussels import brussels_day
from gateway.annex_export.document import Deployment
from gateway.annex_export.package import make_package
from gateway.contracts import Contracts, load_contracts
from gateway.demo_world import demo_annexes

CONTRACTS: Contracts = load_contracts()
SHAPES = CONTRACTS.shapes()
DEPLOYMENT = Deployment("https://gateway.example", "test")
TODAY = brussels_day(datetime.now(UTC))
ANNEXES: Mapping[str, Annex | RoleAnnex] = {
    annex.client: annex for annex in (read_any_annex(document, SHAPES) for document in demo_annexes())
}


def write_files(directory: Path, files: Mapping[str, bytes]) -> Path:
    """Write files by their path under the directory."""
    for name, content in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(content)
    return directory


def export(directory: Path, annex: Annex | RoleAnnex) -> Path:
    """Write the package of an annex."""
    return write_files(directory, make_package(annex, CONTRACTS, DEPLOYMENT, TODAY))


def compile_schemas(directory: Path) -> Mapping[str, etree.XMLSchema]:
    """Return the schema of each service in the package, by the namespace of its messages."""
    return {
        str(etree.parse(wsdl).getroot().get("targetNamespace")): etree.XMLSchema(
            etree.parse(directory / "xsd" / f"{wsdl.stem}.xsd")
        )
        for wsdl in sorted((directory / "wsdl").glob("*.wsdl"))
    }
