"""What the gateway must know of a service to publish, authorise and answer it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.consultation import Values
from services.statuses import StatusTable

CONSULTING_KINDS = frozenset({"institution", "integrator", "enterprise"})


@dataclass(frozen=True, slots=True)
class ReservedContext:
    """A legal context of an operation that only one client may use, on one deliberation, whatever other annexes say.

    `client` is the name of the client's annex, `deliberation` the text that its grant must carry.
    """

    legal_context: str
    client: str
    deliberation: str


@dataclass(frozen=True, slots=True)
class ListedPersons:
    """Where a reply lists persons whom its request need not have named.

    `items` is the path of the repeated element that tells about one person each
    (`employmentPeriods/employmentPeriod`), `ssin` the path of that person's SSIN within an item (`worker/ssin`). Items
    about persons who are not integrated for the client never leave, and neither do items without an SSIN. When none is
    left and the reply has no `next`, its case becomes `none_left` and it carries no data; the element around the items
    must therefore be optional.
    """

    items: str
    ssin: str
    none_left: str


@dataclass(frozen=True, slots=True)
class OperationDescriptor:
    """One operation; its messages are `<name>Request`, `<name>Response` and `<name>Fault`.

    `subject`, `period` and `employer` are paths of the request, or None where the operation is about nobody, about no
    time or about no employer. `subject` (`criteria/ssin`) is the SSIN of the person asked about; where it is repeated,
    each person is decided on and the first refusal is the answer. `period` (`criteria/period`) is made of dates or of
    quarters. `employer` (`criteria/employer`) holds `nssoRegistrationNumber` or `nssoPpoRegistrationNumber`, an
    `enterpriseNumber`, or both kinds; an enterprise may name only one for which it may act. `persons` says where
    the reply lists persons, None where it lists none.

    `needs_grant` is False for the few operations that every client may call; `free_when` is (path, value) of a request
    that every client may send all the same. `notifies`: a client whose annex says so is told without asking what
    happens to the persons in its file, in the form of the items that `persons` lists. `kinds` are the kinds of clients
    whose annex may grant the operation. `reserved` are the legal contexts that one client has for itself. `max_bytes`
    bounds the whole message.

    `answers_when_broken`: the operation consults nobody and has no effect, so it is answered without the database: its
    message is neither remembered, counted nor recorded, and the answer leaves unsigned where it cannot be signed.
    """

    name: str
    subject: str | None = None
    period: str | None = None
    employer: str | None = None
    persons: ListedPersons | None = None
    notifies: bool = False
    needs_grant: bool = True
    free_when: tuple[str, str] | None = None
    kinds: frozenset[str] = CONSULTING_KINDS
    max_bytes: int = 256 * 1024
    reserved: tuple[ReservedContext, ...] = ()
    answers_when_broken: bool = False

    @property
    def consults_persons(self) -> bool:
        """Tell whether a reply may hold data of a person, named by the request or found by it."""
        return self.subject is not None or self.persons is not None


def _no_subject_data(case: str, ssin: str, successor: str | None) -> Values:
    return {}


@dataclass(frozen=True, slots=True)
class ServiceDescriptor:
    """One service as published.

    `name` is what annexes, the CLI and the audit call it (`SelfEmployedService/v2`); `path` is where it is called;
    `wsdl` is the file's name under `wsdl/`; `namespace` is that of its messages; `spyne_service` the Spyne class.
    `supplier` is the authentic source's organisation (`{"cbeNumber": …}`), which must have the person in its own
    file, or None. `application` is what User Management calls the service, where technical users configured for it may
    call it; empty where none may. `subject_data(case, ssin, successor)` gives the elements that a refusal about the
    person carries.
    """

    name: str
    path: str
    wsdl: str
    namespace: str
    spyne_service: Any
    operations: tuple[OperationDescriptor, ...]
    statuses: StatusTable
    supplier: Mapping[str, str] | None = None
    application: str = ""
    subject_data: Callable[[str, str, str | None], Values] = field(default=_no_subject_data)
