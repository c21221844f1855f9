"""The one operation: it shows a client that its message arrived and as whom the gateway knew it."""

from services.consultation import Consultation, Outcome


def send_test_message(consultation: Consultation) -> Outcome:
    """Answer with the text that was sent and the caller's certificate, PEM text as the gateway saw it."""
    data = {"echo": consultation.values["echo"], "sslCertificate": consultation.client_certificate}
    return Outcome("echoed", data)
