"""The port behind which the personnel file stands: `gateway/sources/` has its adapter, the tests a fake."""

from typing import Protocol

from services.dimona.declaration import DeclarationAnswer, Submission
from services.dimona.period import DeclarationPage, DeclarationSearch, PeriodPage, PeriodSearch
from services.employer import Employer, EmployerReference


class TicketReused(Exception):
    """The client used this ticket before, for other declarations; nothing was recorded."""


class EmployerUnknown(Exception):
    """No employer has these numbers, or they are not of the same one; nothing was recorded."""


class DimonaRepository(Protocol):
    """Asks and tells the NSSO.

    May raise `SourceUnavailable` (it cannot be asked now), `SourceAnswerInvalid` (it answered what it may not) or
    `SourceCommunicationFailed` (the exchange broke off: whether declarations were recorded is learnt by sending the
    same ticket again).

    What was recorded under an SSIN that was replaced afterwards is that of the person: a search by any number of the
    person finds it, told under the number of the search, and every other search tells it under the number in force.
    """

    def submit(self, submission: Submission) -> tuple[DeclarationAnswer, ...]:
        """Judge and record declarations, all in one durable transaction; one answer for each, in their order.

        Of two submissions with the same client and ticket, at once or years apart, the second gets the answers of the
        first and has no effect; TicketReused when it declares something else, EmployerUnknown when nobody can be meant
        by its numbers. Declarations are judged one after the other: each sees what those before it did.
        """
        ...

    def find_employer(self, reference: EmployerReference) -> Employer | None:
        """Return the employer; None when it is unknown, when the two numbers are not of the same one, or when an
        enterprise has several registrations and none is named.
        """
        ...

    def find_periods(self, search: PeriodSearch, limit: int) -> PeriodPage:
        """Return at most `limit` periods that meet every criterion."""
        ...

    def find_declarations(self, search: DeclarationSearch, limit: int) -> DeclarationPage:
        """Return at most `limit` accepted declarations that meet every criterion."""
        ...
