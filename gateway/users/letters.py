"""Provisional credentials on their way: the user name by e-mail, the password by text message, as files for whatever
sends them. The two never stand in one file.
"""

import os
import secrets
import string
from pathlib import Path

from authz.user_management.model import Contact

_ALPHABET = "".join(sorted(set(string.ascii_letters) - set("lIO")))
_LETTERS, _DIGITS = 10, 4


class Undeliverable(Exception):
    """The holder cannot be reached, or the files cannot be written; the message says what to do."""


def make_password() -> str:
    """Return a password that obeys the rules, of 68 random bits, easy to type from a telephone."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_LETTERS))
    return letters + "".join(secrets.choice(string.digits) for _ in range(_DIGITS))


class Outbox:
    """A directory of messages to send, which only the gateway's account can read."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def deliver(self, user_name: str, contact: Contact, password: str) -> None:
        """Write the e-mail and the text message; Undeliverable."""
        if contact.email is None or contact.phone is None:
            raise Undeliverable("without national number the manager needs an e-mail address and a telephone")
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(f"{user_name}.email", f"To: {contact.email}\n\nYour user name is {user_name}.\n")
            self._write(f"{user_name}.sms", f"To: {contact.phone}\n\nYour provisional password is {password}\n")
        except OSError as error:
            raise Undeliverable(f"{self._directory} cannot be written: {error.strerror}") from None

    def _write(self, name: str, text: str) -> None:
        path = self._directory / name
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
