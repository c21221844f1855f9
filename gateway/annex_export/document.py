"""The annex as a document for people: HTML that prints well and needs nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from authz.annex import Annex, AuthenticationMethod, RoleAnnex
from authz.organisation import Organisation
from gateway.annex_export.clause_view import title_of, view_clause
from gateway.annex_export.texts import Language, Texts, load_texts
from gateway.catalogue import Catalogue
from gateway.contract_cut import list_clauses, list_open_operations
from gateway.contracts import Contracts


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where the annex is used: the address that clients reach, and `test`, `acceptance` or `production`."""

    public_url: str
    environment: str


@dataclass(frozen=True, slots=True)
class PackageFile:
    """A file of the package as the document lists it; `subject` is the service or operation that it is about."""

    path: str
    kind: str
    subject: str = ""


@cache
def templates() -> Environment:
    """Return the templates of the package: what they are given is escaped in HTML, what they lack is an error."""
    environment = Environment(
        loader=PackageLoader("gateway.annex_export", ""),
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["breakable"] = _breakable
    environment.filters["css_string"] = _css_string
    return environment


def render_document(
    annex: Annex | RoleAnnex,
    contracts: Contracts,
    catalogue: Catalogue,
    deployment: Deployment,
    package: Iterable[PackageFile],
    language: Language,
    today: date,
) -> str:
    """Return the document in one language; `package` are the files that it links to."""
    texts = load_texts(language)
    clauses = [view_clause(annex, clause, catalogue, texts) for clause in list_clauses(annex, contracts)]
    return (
        templates()
        .get_template("document.html.j2")
        .render(
            t=texts,
            annex=annex,
            name=texts.say("role_name") if isinstance(annex, RoleAnnex) else annex.name,
            identification=_identification(annex, texts),
            proofs=_proofs(annex, texts),
            organisations=[
                (one.name, _identify(organisation, texts))
                for organisation, one in (annex.represents.items() if isinstance(annex, Annex) else ())
            ],
            itself_only=isinstance(annex, Annex) and list(annex.represents) == [annex.identity],
            clauses=clauses,
            open_operations=[(contract, title_of(contract, texts)) for contract in list_open_operations(contracts)],
            deployment=deployment,
            package=list(package),
            today=today,
        )
    )


def _identification(annex: Annex | RoleAnnex, texts: Texts) -> str:
    return texts.say("role_identification") if isinstance(annex, RoleAnnex) else _identify(annex.identity, texts)


def _identify(organisation: Organisation, texts: Texts) -> str:
    if organisation.cbe_number is not None:
        number = organisation.cbe_number
        return texts.say("enterprise_number", number=f"{number[:4]}.{number[4:7]}.{number[7:]}")
    return texts.say("sector", sector=organisation.sector, institution=organisation.institution)


def _proofs(annex: Annex | RoleAnnex, texts: Texts) -> list[str]:
    """Return how the client may prove itself, the signed message first."""
    token = texts.say("and_token") if annex.sign_token else ""
    unsigned = texts.say("unsigned_replies") if annex.unsigned_replies else ""
    return [
        texts.say("methods", method, token=token, unsigned=unsigned)
        for method in AuthenticationMethod
        if method in annex.methods
    ]


def _breakable(path: str) -> Markup:
    """Let a long path or address break after each of its steps."""
    return Markup("/<wbr>").join(escape(step) for step in str(path).split("/"))


def _css_string(text: str) -> str:
    """Escape what stands between double quotes in a style sheet, so that it ends neither the string nor the sheet."""
    return "".join(each if each.isalnum() or each in " -.,()" else f"\\{ord(each):x} " for each in text)
