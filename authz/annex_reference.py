"""Renders the reference of the annex (docs/annex.md) from the model that reads annexes."""

from datetime import date
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from authz.annex_model import (
    OPERATIONS,
    AuthenticationPart,
    CertificatePart,
    GrantPart,
    HeaderPart,
    IntegrationPart,
    NamedOrganisationPart,
    ParameterPart,
    QuotaPart,
    keys_of,
)
from authz.annex_yaml import MAX_CHARACTERS

_INTRODUCTION = f"""\
# The annex of a client

An annex says what one client may do: who it is, which certificates prove it, for which organisations it
speaks, and, operation by operation, under which legal contexts it may ask what. **What an annex does not name
is not granted.**

It is one YAML file per client; those of the demo clients in `fixtures/annexes/` are the examples. Start from
the one that resembles yours and check it with `ksz-gateway annex check FILE`, which reports every mistake at
once, each with its line and what to do about it.

## Writing one

- Plain YAML of at most {MAX_CHARACTERS // 1024} KiB: no anchors, aliases or tags. A key that is not in the
  tables below is a mistake, and so is a key written twice.
- Numbers that are names (an enterprise number) stand between quotes; days (2024-01-01) do not. Days are those
  of Brussels, and the last one is included.
- Paths are element names joined by `/`, as in the contract, without the message's root: `criteria/period`.
- The revision of an annex is the SHA-256 of the file, byte for byte: `sha256sum FILE` gives the number that
  the audit shows beside every decision.

## What a grant covers

A request is decided by the one entry under `operations` that names its service, operation and legal context
and holds for the organisation that the request names as its customer.

- **Parameters.** Mandatory search parameters may always be sent, optional ones only if a path under
  `parameters` names them or an element around them. A parameter with `maxYearsBack` must be sent: its absence
  would mean everything. Of quarters, the one that holds the first day allowed is allowed whole. It bounds what
  may be asked, not what is told: a fact that overlaps the period asked is told whole, though it began before.
- **Withheld elements.** What `withheld` names is left out of every reply, and named in the reply's
  `dataFilters`. A reply must stay valid, so a mandatory element goes together with its nearest optional
  ancestor: withholding `career/nisseReference` withholds the whole `career`. An element without such an
  ancestor cannot be withheld, nor can anything in an operation without `dataFilters`, nor the elements that
  answer the request itself.
- **Integration control.** The organisation that the request names must have the person in its file, under one
  of `contexts`, on at least one day between the period's begin less `daysBefore` and its end plus
  `daysAfter`. A period without end ends today; without a period, today is the period. Of a reply that lists
  persons whom the request did not name, the others are left out; the audit counts them.
- **Signatures.** Answers are signed, so that a client can prove them. One that connects with mutual TLS and would never
  verify them, as PHP's SoapClient cannot, may have `unsignedReplies`: it spares both a signature that nobody reads.
- **Reserved legal contexts.** Some legal contexts belong to one client and rest on one deliberation:
  `FRONTOFFICE:EMPLOYMENT_MEASURES`, under which alone employers who are natural persons are told, is granted to
  `front-office` on `Deliberation 07/039`. In any other annex, or on another deliberation, it is a mistake.
- **Enterprises.** A client of the kind `enterprise` may ask only about employers for which the organisation
  named as customer may act that day. Its annex narrows this and never widens it. An operation that consults
  persons without naming an employer cannot be granted to it. What became of a number or of its holder (replaced,
  cancelled, deceased) is told to no enterprise.
- **Technical users.** One annex of the kind `enterprise` with `role: technicalUser`, in place of `identity` and
  `certificates`, is for every technical user on the web-service channel of User Management, so that an employer needs
  no annex of its own (`fixtures/annexes/technical-users.yaml`). Who sends is found by the certificate registered there;
  it asks for its own enterprise, in the quality in which it was configured, and has the grants of the services it was
  configured for. Each is a client of its own, `technical-user:` and the sender number, with a quota of its own. An
  annex that binds the certificate goes before. At most one such annex is in force at a time.
"""

_SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("identity", NamedOrganisationPart),
    ("authentication", AuthenticationPart),
    ("certificates[]", CertificatePart),
    ("represents[]", NamedOrganisationPart),
    ("quota", QuotaPart),
    ("operations[]", GrantPart),
    ("operations[].parameters.PATH", ParameterPart),
    ("operations[].integration", IntegrationPart),
)


_KINDS = {list: "list", dict: "mapping", bool: "true or false", int: "number", date: "day", str: "text"}


def render_annex_reference() -> str:
    """Return the reference as Markdown."""
    top = [*_rows(HeaderPart), f"| `operations` | list | yes | {OPERATIONS} |"]
    sections = [_table("The document", top)]
    sections += [_table(f"`{place}`", _rows(part)) for place, part in _SECTIONS]
    return "\n".join((_INTRODUCTION, *sections))


def _table(title: str, rows: list[str]) -> str:
    return "\n".join((f"## {title}\n", "| key | value | required | meaning |", "|---|---|---|---|", *rows, ""))


def _rows(part: type[BaseModel]) -> list[str]:
    rows = []
    for key, field in keys_of(part).items():
        required = "yes" if field.is_required() else "no"
        rows.append(f"| `{key}` | {_kind(field.annotation)} | {required} | {field.description} |")
    return rows


def _kind(annotation: Any) -> str:
    """Say in a word what a key's value is; of a choice such as `X | None`, what X is."""
    kind = get_origin(annotation) or annotation
    if kind in _KINDS:
        return _KINDS[kind]
    if arguments := get_args(annotation):
        return _kind(arguments[0])
    return "mapping" if issubclass(kind, BaseModel) else "text"
