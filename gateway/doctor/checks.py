"""The checks in their order, each with what it asks and what to do when the answer is no."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from gateway.audit.keys import AuditKeysUnusable
from gateway.audit.reading_key import ReadingKeyUnusable
from gateway.bootstrap import CannotStart
from gateway.doctor import database, keys, machine
from gateway.doctor.deployment import Deployment
from gateway.health.measure import Finding
from gateway.key_file import KeyFileUnusable
from gateway.storage.naming import MEND_DATABASE, name_of, reason_of
from services.health import State


@dataclass(frozen=True, slots=True)
class Check:
    """One promise of a deployment. What `look` raises is a promise broken.

    A failure of the database or of a file is told in its words, any other by its class alone.
    """

    name: str
    asks: str
    remedy: str
    look: Callable[[Deployment], Finding]


CHECKS = (
    Check(
        "signing key",
        "is it usable, of its certificate, and the certificate valid for a month?",
        "put key and certificate in their files; give clients the new certificate first",
        keys.signing_key,
    ),
    Check(
        "TLS certificate",
        "can it be served, and is it valid for a month?",
        "put certificate and key in their files, then reload",
        keys.tls_certificate,
    ),
    Check("private files", "are secrets readable by the owner alone?", "chmod go-rwx, chown", keys.private_files),
    Check(
        "client authorities",
        "is each valid for a month?",
        "add the authority's next certificate to client_ca, then reload",
        keys.client_authorities,
    ),
    Check(
        "revocation lists",
        "is there a list of each authority, valid for half a day?",
        "fetch the lists into client_crl",
        keys.revocation_lists,
    ),
    Check(
        "auditor's key",
        "is it usable, and the private one elsewhere?",
        "make it with audit key, and keep the private one off this machine",
        keys.auditor_key,
    ),
    Check(
        "operators",
        "are there two who can activate an annex?",
        "see docs/annex-activation.md",
        keys.operators,
    ),
    Check("database", "does it answer?", MEND_DATABASE, database.reachable),
    Check("schema", "is it that of this version?", "stop the gateways, back up, run migrate", database.schema),
    Check(
        "durability",
        "does what is committed survive a power cut?",
        "set what is named as docs/operating.md says, in the database's configuration",
        database.durability,
    ),
    Check("connections", "has the server enough?", "raise max_connections, or lower threads", database.connections),
    Check("database's clock", "is it ours, within a second?", "synchronise both by NTP", database.clock),
    Check("own clock", "does it run evenly?", "let NTP slew the clock, not step it", machine.own_clock),
    Check(
        "audit",
        "can a record be written, under the head that was signed?",
        "restore the keys under keys/, then run audit verify",
        database.audit,
    ),
    Check("annexes", "are all readable, and no certificate bound twice?", "activate a corrected one", database.annexes),
    Check("sources", "does each answer?", "mend the source that is named", database.sources),
    Check("state directory", "may only its owner write in it?", "chmod go-w", machine.state_directory),
    Check("disk", "is there space?", "make space, or move the state", machine.disk),
    Check(
        "dependencies",
        "are they those of the lock?",
        "install with pip --require-hashes -r requirements.lock",
        machine.dependencies,
    ),
    Check(
        "environment", "is production without demo keys, and with limits?", "change what is named", machine.environment
    ),
    Check("proxy", "can nobody but the proxy pass for it?", "see deploy/README.md", machine.proxy),
)


@dataclass(frozen=True, slots=True)
class Result:
    """What a check found, and what to do about it."""

    check: Check
    finding: Finding
    remedy: str


def examine(deployment: Deployment) -> Iterator[Result]:
    """Yield what each check finds, one after the other; none stops those after it."""
    for check in CHECKS:
        try:
            yield Result(check, check.look(deployment), check.remedy)
        except (CannotStart, AuditKeysUnusable, KeyFileUnusable, ReadingKeyUnusable) as reason:
            yield Result(check, Finding(State.NOK, str(reason)), check.remedy)
        except DBAPIError as error:
            told = f"{name_of(deployment.settings.database_url)}: {reason_of(error)}"
            yield Result(check, Finding(State.NOK, told), MEND_DATABASE)
        except Exception as error:
            yield Result(check, Finding(State.NOK, _tell(error)), check.remedy)


def _tell(error: Exception) -> str:
    """Return what is wrong with a file; of anything else the class alone: a text may hold an address or a password."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return type(error).__name__
