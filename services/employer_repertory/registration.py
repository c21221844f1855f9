"""What the registers of employers hold of an employer: frozen values, no XML, no SQL.

Codes are those of `codes.yaml`; an address is a mapping by the names of the contract's AddressType.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from services.employer import EmployerReference, Register

Address = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Category:
    """An employer category, with what the register holds under it."""

    code: str
    nace_codes: tuple[str, ...] = ()
    place_of_operation: Address | None = None
    importance_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Registration:
    """One registration. `natural_person` decides who may be told of it, and is itself never told.

    `ssin` is that of the natural person, where the register knows it: for the audit alone.
    """

    register: Register
    registration_number: str
    enterprise_number: str | None = None
    natural_person: bool = False
    deletion_date: date | None = None
    legal_form: str | None = None
    registered_office: Address | None = None
    employer_type: str | None = None
    categories: tuple[Category, ...] = ()
    ssin: str | None = field(default=None, repr=False)

    @property
    def reference(self) -> EmployerReference:
        """Return the numbers by which others know this employer."""
        return EmployerReference(self.register, self.registration_number, self.enterprise_number)
