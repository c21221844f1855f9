"""sendTestMessage echoes, whoever asks."""

from datetime import UTC, datetime

from services.consultation import Consultation, Outcome
from services.test_connection import DESCRIPTOR
from services.test_connection.operations import send_test_message


def test_text_and_certificate_come_back() -> None:
    consultation = Consultation("sendTestMessage", {"echo": "goede morgen"}, datetime.now(UTC), "-----BEGIN…")
    expected = {"echo": "goede morgen", "sslCertificate": "-----BEGIN…"}
    assert send_test_message(consultation) == Outcome("echoed", expected)


def test_no_grant_is_needed_and_nobody_is_consulted() -> None:
    (operation,) = DESCRIPTOR.operations
    assert (operation.needs_grant, operation.subject, operation.period) == (False, None, None)
    assert DESCRIPTOR.statuses.rows == {"sendTestMessage": {}}
    assert DESCRIPTOR.supplier is None
