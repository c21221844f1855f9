"""Sealing: what is stored shows no person, decrypts to what was sealed, and belongs to its record only."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from authz.integration import Inscription, Period, PersonFacts
from authz.organisation import Organisation
from authz.question import AccessFacts, AccessRequest
from gateway.audit.keys import MonthKeys
from gateway.audit.record import AuditRecord, RecordKind, RecordOutcome
from gateway.audit.sealed_box import SealingKeys
from gateway.audit.sealing import SealBroken, pseudonym, seal, unseal

SSIN = "85660112345"
NOON = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
INSCRIPTION = Inscription("cbe:0999900120", "PCSA:FILE", date(2019, 1, 1))
RECORD = AuditRecord(
    ticket_cbss="5a1a0c1e-0000-4000-8000-000000000001",
    received_at=NOON,
    outcome=RecordOutcome.REFUSAL,
    code="MSG00012",
    client="pcsa",
    criteria=("criteria/ssin", "criteria/period/beginDate"),
    subject=SSIN,
    message=b"<soapenv:Envelope>\xc3\xa9</soapenv:Envelope>",
    request=AccessRequest(
        service="SelfEmployedService/v2",
        operation="consultCareer",
        customer=Organisation(cbe_number="0999900120"),
        legal_context="PCSA:SOCIAL_INQUIRY",
        parameters={"criteria/ssin": SSIN, "criteria/period/beginDate": date(2020, 1, 1)},
        subjects=(SSIN,),
        period=Period(date(2020, 1, 1)),
    ),
    facts=AccessFacts({SSIN: PersonFacts(known=True, client_inscriptions=(INSCRIPTION,))}),
    decided_at=NOON,
    reason=f"not integrated: {SSIN}",
)


AUDITOR = X25519PrivateKey.generate()


@pytest.fixture
def keys(tmp_path: Path) -> MonthKeys:
    return MonthKeys.make(tmp_path / "keys")


@pytest.fixture
def sealing(keys: MonthKeys) -> SealingKeys:
    return SealingKeys(keys, AUDITOR.public_key())


def _shown(row: dict[str, Any]) -> str:
    return repr(row).encode("unicode_escape").decode()


def test_sealed_part_decrypts_to_exactly_what_the_decision_saw(keys: MonthKeys, sealing: SealingKeys) -> None:
    assert unseal(seal(RECORD, sealing, NOON).row, keys, AUDITOR) == {
        "subject": SSIN,
        "furtherSubjects": [],
        "message": RECORD.message,
        "request": {
            "service": "SelfEmployedService/v2",
            "operation": "consultCareer",
            "customer": {"cbe_number": "0999900120", "sector": None, "institution": None},
            "legal_context": "PCSA:SOCIAL_INQUIRY",
            "parameters": {"criteria/ssin": SSIN, "criteria/period/beginDate": date(2020, 1, 1)},
            "subjects": [SSIN],
            "period": {"begin": date(2020, 1, 1), "end": None},
            "employer": None,
            "needs_grant": True,
            "needs_relation": False,
        },
        "facts": {
            "persons": {
                SSIN: {
                    "known": True,
                    "cancelled": False,
                    "replaced_by": None,
                    "deceased_on": None,
                    "client_inscriptions": [
                        {
                            "organisation": "cbe:0999900120",
                            "context": "PCSA:FILE",
                            "begin": date(2019, 1, 1),
                            "end": None,
                        }
                    ],
                    "supplier_inscriptions": None,
                }
            },
            "relation": None,
            "holder": None,
        },
        "decidedAt": NOON,
        "reason": f"not integrated: {SSIN}",
    }


def test_further_persons_have_pseudonyms_like_the_first(keys: MonthKeys, sealing: SealingKeys) -> None:
    sealed = seal(replace(RECORD, further_subjects=("85660112444", SSIN)), sealing, NOON)
    key = keys.get_for_sealing("2026-03")
    assert sealed.further_subjects == (pseudonym(key, "85660112444"), sealed.row["subject"])
    assert unseal(sealed.row, keys, AUDITOR)["furtherSubjects"] == ["85660112444", SSIN]


def test_row_shows_no_ssin(sealing: SealingKeys) -> None:
    assert SSIN not in _shown(seal(RECORD, sealing, NOON).row)


def test_repr_of_a_record_shows_no_ssin() -> None:
    assert SSIN not in repr(replace(RECORD, further_subjects=(SSIN,)))


def test_person_has_one_pseudonym_a_month_and_another_the_next(keys: MonthKeys, sealing: SealingKeys) -> None:
    march = seal(RECORD, sealing, NOON).row["subject"]
    april = seal(replace(RECORD, received_at=datetime(2026, 4, 1, tzinfo=UTC)), sealing, NOON).row["subject"]
    assert march == seal(replace(RECORD, client="other"), sealing, NOON).row["subject"]
    assert march == pseudonym(keys.get_for_sealing("2026-03"), SSIN)
    assert march != april
    assert len(march) == 64


def test_month_is_that_of_reception_in_utc(sealing: SealingKeys) -> None:
    brussels_april = datetime.fromisoformat("2026-04-01T01:30:00+02:00")
    assert seal(replace(RECORD, received_at=brussels_april), sealing, NOON).row["month"] == "2026-03"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("ticket_cbss", "5a1a0c1e-0000-4000-8000-000000000002"),
        ("kind", RecordKind.SIGNATURE_FAILURE.value),
        ("sealed", bytes(200)),
    ],
)
def test_sealed_part_moved_to_another_record_or_changed_is_refused(
    keys: MonthKeys, sealing: SealingKeys, column: str, value: object
) -> None:
    row = seal(RECORD, sealing, NOON).row
    with pytest.raises(SealBroken, match="not this record's"):
        unseal(row | {column: value}, keys, AUDITOR)


@pytest.mark.parametrize("month", ["../elsewhere/2026-03", "/2026-03", "2026-03\0", "2026-03\n", ""])
def test_what_is_no_month_is_not_looked_for_among_files(
    keys: MonthKeys, sealing: SealingKeys, tmp_path: Path, month: str
) -> None:
    row = seal(RECORD, sealing, NOON).row
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "2026-03.key").symlink_to(tmp_path / "none.key")
    (tmp_path / "none.key").write_bytes(b"no keys")
    with pytest.raises(SealBroken, match="are not there"):
        unseal(row | {"month": month}, keys, AUDITOR)


def test_month_whose_keys_were_destroyed_cannot_be_unsealed(
    keys: MonthKeys, sealing: SealingKeys, tmp_path: Path
) -> None:
    row = seal(RECORD, sealing, NOON).row
    (tmp_path / "keys" / "2026-03.key").unlink()
    with pytest.raises(SealBroken, match="2026-03"):
        unseal(row, keys, AUDITOR)


def test_same_record_is_sealed_differently_each_time(sealing: SealingKeys) -> None:
    assert seal(RECORD, sealing, NOON).row["sealed"] != seal(RECORD, sealing, NOON).row["sealed"]


def test_value_whose_meaning_would_be_lost_is_a_mistake(sealing: SealingKeys) -> None:
    with pytest.raises(TypeError, match="object cannot be sealed"):
        seal(replace(RECORD, request={"what": object()}), sealing, NOON)


def test_plain_values_keep_their_meaning(keys: MonthKeys, sealing: SealingKeys) -> None:
    kept = {
        "list": [1, True, None, 2.5],
        "decimal": Decimal("1.10"),
        "moment": NOON,
        "wall clock": NOON.replace(tzinfo=None),
        "day": date(2026, 3, 31),
        "text like a day": "2026-03-31",
    }
    values = kept | {"set": frozenset({"b", "a"})}
    row = seal(replace(RECORD, facts=values), sealing, NOON).row
    assert unseal(row, keys, AUDITOR)["facts"] == kept | {"set": ["a", "b"]}
