"""`ksz-gateway users`: every command in the session of the person who acts, and every refusal named by its rule."""

import re
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from sqlalchemy import select, update
from user_world import (
    BREWERY,
    ELS,
    HUGO,
    JAN,
    LIEN,
    OPERATOR,
    PASSWORD,
    PROVIDER,
    SECRETARIAT,
    Brewery,
    Office,
    add_operator,
    appoint,
    create,
    register,
    request,
)

import gateway.cli.users
from authz.user_management.commands import Activate, Command
from gateway.pki import load_identity
from gateway.storage.tables import audit_records
from gateway.storage.user_tables import user_sessions
from gateway.users.credentials import ATTEMPTS
from gateway.users.sessions import IDLE, LONGEST

NEW = "Klaverblad 2026!"


def test_there_is_a_command_for_everything_that_the_rules_decide() -> None:
    sources = "".join(path.read_text("utf-8") for path in Path(gateway.cli.users.__path__[0]).glob("*.py"))
    # The first login activates.
    wanted = {each.__name__ for each in get_args(Command)} - {Activate.__name__}
    assert {name for name in wanted if not re.search(rf"\b{name}\b[(,]", sources)} == set()


# --- Sessions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ("whoami",),
        ("logout",),
        ("search",),
        ("block", f"{BREWERY}-U1"),
        ("operator", "list"),
        ("history", "verify"),
        ("import", "--users", "users.csv"),
        ("enterprise", "register", BREWERY, "--name", "x", "--legal-form", "BV"),
    ],
)
def test_nobody_acts_without_a_session(office: Office, command: tuple[str, ...]) -> None:
    assert "you are not logged in" in office.terminal("nobody").refused(*command)


def test_first_operator_needs_no_session_and_is_recorded(office: Office) -> None:
    operator = add_operator(office)
    assert operator.do("whoami").startswith("operator nele, by password")
    (entry,) = operator.do("history", "show", "--operators", "--json")
    assert entry["event"] == "OperatorAdded"
    assert entry["actor"].startswith("machine/")
    with office.database() as database, database.read() as connection:
        operations = connection.execute(select(audit_records.c.operation)).scalars().all()
    assert operations == ["users OperatorAdded"]


def test_only_an_operator_adds_the_next_one_who_must_change_the_password(office: Office) -> None:
    operator, second = add_operator(office), office.terminal("second")
    assert "not logged in" in second.refused("operator", "add", "jef", "--password-stdin", typed=f"{PASSWORD}\n")
    operator.do("operator", "add", "jef", "--password-stdin", typed=f"{PASSWORD}\n")
    second.log_in_as_operator("jef")
    assert "password change comes first" in second.refused("operator", "list")
    second.do("password", "change", "--password-stdin", typed=f"{PASSWORD}\n{NEW}\n")
    second.log_in_as_operator("jef", NEW)
    assert second.do("operator", "list", "--json") == ["jef", OPERATOR]
    second.do("operator", "remove", OPERATOR)
    assert "this session was ended" in operator.refused("whoami")
    assert "the last operator" in second.refused("operator", "remove", "jef")


def test_operator_who_is_removed_is_logged_out_however_the_name_was_typed(office: Office) -> None:
    operator, second = add_operator(office), office.terminal("second")
    operator.do("operator", "add", "jef", "--password-stdin", typed=f"{PASSWORD}\n")
    second.log_in_as_operator("JEF")
    operator.do("operator", "remove", "jef")
    assert "this session was ended" in second.refused("whoami")


@pytest.mark.parametrize(("name", "password"), [("Nele!", PASSWORD), ("nele", "short1!"), ("nele", "without digits")])
def test_operator_with_a_bad_name_or_password_is_refused(office: Office, name: str, password: str) -> None:
    told = office.terminal("x").refused("operator", "add", name, "--password-stdin", typed=f"{password}\n")
    assert "a name has" in told or "a password has" in told


def test_session_ends_at_logout_for_a_copy_of_its_token_too(office: Office) -> None:
    operator = add_operator(office)
    token = operator.session_file.read_text()
    operator.do("logout")
    assert not operator.session_file.exists()
    operator.session_file.write_text(token)
    operator.session_file.chmod(0o600)
    assert "this session was ended" in operator.refused("whoami")


@pytest.mark.parametrize(
    ("column", "ago", "told"),
    [("used_at", IDLE, "not used for 30 minutes"), ("created_at", LONGEST, "at most 8 hours")],
)
def test_session_expires(office: Office, column: str, ago: object, told: str) -> None:
    operator = add_operator(office)
    with office.database() as database, database.write() as connection:
        connection.execute(update(user_sessions).values({column: datetime.now(UTC) - ago}))  # type: ignore[operator]
    assert told in operator.refused("whoami")


def test_token_is_stored_only_as_a_digest_and_its_file_is_private(office: Office) -> None:
    operator = add_operator(office)
    assert stat.S_IMODE(operator.session_file.stat().st_mode) == 0o600
    token = operator.session_file.read_text().strip()
    with office.database() as database, database.read() as connection:
        assert token not in str(connection.execute(select(user_sessions)).all())


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_session_file_that_others_can_read_is_refused(office: Office, mode: int) -> None:
    operator = add_operator(office)
    operator.session_file.chmod(mode)
    assert "can be read by others" in operator.refused("whoami")


def test_session_file_that_is_a_link_or_no_file_is_refused(office: Office) -> None:
    operator = add_operator(office)
    kept = operator.session_file.with_name("kept")
    operator.session_file.rename(kept)
    operator.session_file.symlink_to(kept)
    operator.refused("whoami")
    operator.session_file.unlink()
    operator.session_file.mkdir()
    assert "is no file" in operator.refused("whoami")


def test_invented_token_is_refused(office: Office) -> None:
    operator = add_operator(office)
    operator.session_file.write_text("x" * 43)
    assert "not known here" in operator.refused("whoami")


# --- Logging in ------------------------------------------------------------------------------------------------------


def test_user_is_locked_out_after_repeated_failures(office: Office) -> None:
    operator = add_operator(office)
    for _ in range(ATTEMPTS):
        told = operator.refused("login", OPERATOR, "--operator", "--password-stdin", typed="wrong 0000\n")
        assert "user name or the password is wrong" in told
    told = operator.refused("login", OPERATOR, "--operator", "--password-stdin", typed=f"{PASSWORD}\n")
    assert "too many attempts" in told


def test_unknown_name_is_told_the_same_as_a_wrong_password(brewery: Brewery) -> None:
    create(
        brewery.chief, JAN, "--user-name", "jan.peeters", "--with-password", "--password-stdin", typed=f"{PASSWORD}\n"
    )
    stranger = brewery.office.terminal("stranger")
    known, unknown = (
        stranger.refused("login", name, "--password-stdin", typed="wrong 0000\n") for name in ("jan.peeters", "nobody")
    )
    assert known == unknown


def test_first_login_activates_and_a_user_name_can_be_chosen_once(brewery: Brewery) -> None:
    shown = brewery.chief.do("enterprise", "show", "--json")
    assert shown["activated"] is True
    brewery.chief.do("own", "name", "els.janssens")
    assert "rule user-name-never-changes" in brewery.chief.refused("own", "name", "other.name")


def test_manager_without_national_number_is_sent_credentials_apart(office: Office) -> None:
    operator = add_operator(office)
    register(operator, BREWERY, "employer")
    (event,) = operator.do(
        *("appointment", "request", "--enterprise", BREWERY, "--name", "Smith", "--first-name", "Ann"),
        *("--capacity", "director", "--email", "ann@example.test", "--phone", "+32470000000"),
        *("--signatory-name", "Smith", "--signatory-first-name", "Bob", "--signatory-national-number", ELS),
        *("--signatory-capacity", "partner", "--json"),
    )
    ticket = event["appointment"]["ticket"]
    today = str(datetime.now(UTC).date())
    operator.do("appointment", "receive", ticket, "--enterprise", BREWERY, "--received-on", today)
    operator.do("appointment", "approve", ticket, "--enterprise", BREWERY)
    email, sms = sorted((office.state / "outbox").iterdir())
    assert {stat.S_IMODE(each.stat().st_mode) for each in (email, sms)} == {0o600}
    password = sms.read_text().split()[-1]
    assert password not in email.read_text()
    manager = office.terminal("ann")
    manager.do("login", email.stem, "--password-stdin", typed=f"{password}\n")
    assert "password change comes first" in manager.refused("search")
    manager.do("password", "change", "--password-stdin", typed=f"{password}\n{NEW}\n")
    manager.do("login", email.stem, "--password-stdin", typed=f"{NEW}\n")
    manager.do("own", "name", "ann.smith")
    assert "is wrong" in manager.refused("login", email.stem, "--password-stdin", typed=f"{NEW}\n")
    manager.do("login", "Ann.Smith", "--password-stdin", typed=f"{NEW}\n")


def test_person_who_is_no_user_can_ask_for_a_manager_and_do_nothing_else(office: Office) -> None:
    operator = add_operator(office)
    register(operator, BREWERY, "employer")
    applicant = office.person("els", ELS)
    ticket = request(applicant, ELS)
    assert "your own enterprise only" in applicant.refused("search", "--enterprise", BREWERY)
    assert "rule nsso-only" in applicant.refused("appointment", "approve", ticket, "--enterprise", BREWERY)
    with office.database() as database, database.read() as connection:
        assert ELS not in str(connection.execute(select(audit_records)).all())


def test_person_who_is_several_users_says_as_which_one(brewery: Brewery) -> None:
    register(brewery.operator, PROVIDER, "service_provider", name="Boekhouder")
    appoint(brewery.operator, ELS, PROVIDER)
    identity = ("--means", "eid", "--identity", str(brewery.office.identity("els")))
    again = brewery.office.terminal("again")
    assert "you are several users" in again.refused("login", *identity)
    assert "no such user" in again.refused("login", *identity, "--user", f"{BREWERY}-U9")
    again.do("login", *identity, "--enterprise", PROVIDER)
    assert PROVIDER in again.do("whoami")


def test_certificate_of_another_means_or_of_no_person_is_refused(brewery: Brewery) -> None:
    terminal = brewery.office.terminal("x")
    identity = str(brewery.office.identity("els"))
    assert "of means eid, not itsme" in terminal.refused("login", "--means", "itsme", "--identity", identity)
    assert "there is no means" in terminal.refused("login", "--means", "fax", "--identity", identity)
    assert "--identity" in terminal.refused("login", "--means", "eid")
    gateway_identity = str(brewery.office.state / "pki" / "gateway")
    assert load_identity(Path(gateway_identity))
    terminal.refused("login", "--means", "eid", "--identity", gateway_identity)
    assert "cannot be used" in terminal.refused("login", "--means", "eid", "--identity", "/nowhere")


def test_development_certificate_proves_nobody_in_production(brewery: Brewery) -> None:
    brewery.chief.environment["KSZ_ENVIRONMENT"] = "production"
    identity = str(brewery.office.identity("els"))
    assert "in production" in brewery.chief.refused("login", "--means", "eid", "--identity", identity)


# --- Users -----------------------------------------------------------------------------------------------------------


def test_life_of_a_user(brewery: Brewery) -> None:
    chief = brewery.chief
    user_id = create(chief, JAN, "--application", "dmfa", "--user-name", "jan.peeters")
    chief.do("grant", user_id, "--application", "personnel-file,holiday-file")
    chief.do("withdraw", user_id, "--application", "dmfa")
    chief.do("change", user_id, "--email", "jan@example.test", "--first-name", "Johan")
    chief.do("change", user_id, "--phone", "+32470000000")
    shown = chief.do("show", user_id, "--json")
    assert shown["applications"] == ["holiday-file", "personnel-file"]
    assert shown["person"]["first_name"] == "Johan"
    assert shown["contact"] == {"email": "jan@example.test", "phone": "+32470000000"}
    jan = brewery.office.person("jan", JAN)
    jan.do("own", "data", "--language", "fr")
    assert jan.do("show", user_id, "--json")["language"] == "fr"
    assert "rule manages-quality" in jan.refused("block", user_id)
    chief.do("block", user_id)
    assert "this session was ended" in jan.refused("whoami")
    assert "rule blocked-cannot-log-in" in jan.refused(
        "login", "--means", "eid", "--identity", str(brewery.office.identity("jan"))
    )
    chief.do("unblock", user_id)
    assert chief.do("unblock", user_id) == "Nothing to do: all is so already.\n"


def test_password_that_a_manager_gave_must_be_changed_and_ends_a_lock_out(brewery: Brewery) -> None:
    user_id = create(brewery.chief, JAN, "--user-name", "jan.peeters")
    jan = brewery.office.person("jan", JAN)
    jan.do("password", "reset", "--password-stdin", typed=f"{NEW}\n")
    for _ in range(ATTEMPTS):
        jan.refused("login", "jan.peeters", "--password-stdin", typed="wrong 0000\n")
    assert "too many attempts" in jan.refused("login", "jan.peeters", "--password-stdin", typed=f"{NEW}\n")
    brewery.chief.do("password", "set", user_id, "--password-stdin", typed=f"{PASSWORD}\n")
    jan.do("login", "jan.peeters", "--password-stdin", typed=f"{PASSWORD}\n")
    assert "password change comes first" in jan.refused("own", "data", "--language", "fr")
    assert "present password is wrong" in jan.refused("password", "change", "--password-stdin", typed="wrong\n")
    told = jan.refused("password", "change", "--password-stdin", typed=f"{PASSWORD}\nabcdefghij\n")
    assert "rule password-digits-or-specials" in told
    kept = jan.refused("password", "change", "--password-stdin", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert "another password than the present one" in kept
    assert "password change comes first" in jan.refused("own", "data", "--language", "fr")
    jan.do("password", "change", "--password-stdin", typed=f"{PASSWORD}\n{NEW}\n")
    jan.do("login", "jan.peeters", "--password-stdin", typed=f"{NEW}\n")
    brewery.chief.do("password", "login", "--off")
    assert "rule password-login-off" in jan.refused("login", "jan.peeters", "--password-stdin", typed=f"{NEW}\n")


def test_sessions_opened_by_password_end_when_password_login_is_switched_off(brewery: Brewery) -> None:
    create(brewery.chief, JAN, "--user-name", "jan.peeters")
    by_eid, by_password = brewery.office.person("jan", JAN), brewery.office.terminal("jan-at-home")
    by_eid.do("password", "reset", "--password-stdin", typed=f"{NEW}\n")
    by_eid.do("login", "--means", "eid", "--identity", str(brewery.office.identity("jan")))
    by_password.do("login", "jan.peeters", "--password-stdin", typed=f"{NEW}\n")
    by_password.do("own", "data", "--language", "fr")
    brewery.chief.do("password", "login", "--off")
    assert "this session was ended" in by_password.refused("whoami")
    # Other means, and operators who have a password of their own, go on.
    for terminal in (by_eid, brewery.chief, brewery.operator):
        terminal.do("whoami")


def test_deletion_shows_the_data_and_asks(brewery: Brewery) -> None:
    user_id = create(brewery.chief, JAN)
    kept = brewery.chief.run("delete", user_id, typed="n\n")
    assert kept.exit_code == 1
    assert "name: Peeters" in kept.stderr
    assert "rule deletion-confirmed" in str(kept.exception)
    assert "--yes does it without asking" in brewery.chief.refused("delete", user_id)
    assert brewery.chief.run("delete", user_id, typed="y\n").exit_code == 0
    assert "you manage no user" in brewery.chief.refused("show", user_id)
    user_id = create(brewery.chief, JAN)
    brewery.chief.do("delete", user_id, "--yes")


def test_search_and_its_complement(brewery: Brewery) -> None:
    one = create(brewery.chief, JAN, "--application", "dmfa")
    two = create(brewery.chief, LIEN, name="Maes")
    brewery.chief.do("block", two)

    def found(*options: str) -> set[str]:
        return {each["user_id"] for each in brewery.chief.do("search", *options, "--json")}

    everybody = found()
    for options, expected in (
        (("--application", "dmfa"), {one}),
        (("--name", "mae"), {two}),
        (("--national-number", JAN), {one}),
        (("--blocked",), {two}),
        (("--blocked", "--application", "dmfa"), set()),
    ):
        assert found(*options) == expected
        assert found(*options, "--complement") == everybody - expected
    assert found("--not-blocked") == everybody - {two}
    assert {each["user_id"] for each in brewery.operator.do("search", "--enterprise", BREWERY, "--json")} == everybody


def test_access_manager_sees_and_touches_its_own_quality_only(brewery: Brewery) -> None:
    manager_id = create(brewery.chief, LIEN, name="Maes")
    brewery.chief.do("role", "manager", "employer", manager_id)
    brewery.chief.do("role", "activate", "enterprise")
    other = create(brewery.chief, JAN, "--email", "x@example.test", quality="enterprise")
    lien = brewery.office.person("lien", LIEN)
    assert {each["user_id"] for each in lien.do("search", "--json")} == {manager_id}
    assert "rule manages-quality" in lien.refused("block", other)
    assert "you manage no user" in lien.refused("show", other)
    assert "only the chief" in lien.refused("history", "show")
    brewery.chief.do("role", "manager", "employer", "--none")
    assert brewery.chief.do("role", "list", "--json")["qualities"][0]["manager"] == f"{BREWERY}-U2"
    brewery.chief.do("role", "co-chief", manager_id)
    brewery.chief.do("role", "co-chief", "--none")
    brewery.chief.do("role", "co-manager", "employer", manager_id)
    assert "name a user, or nobody" in brewery.chief.refused("role", "co-chief")


def test_technical_user_has_a_sender_number_of_its_own(brewery: Brewery) -> None:
    create(brewery.chief, JAN)
    certificate = str(brewery.office.state / "pki" / "gateway.pem")
    options = ("--contact", "ICT", "--channel", "web_service", "--certificate", certificate, "--service", "dimona")
    brewery.chief.do("technical", "add", "employer", *options)
    (listed,) = brewery.chief.do("technical", "list", "--json")
    sender = listed["sender_number"]
    assert len(sender) == 6
    assert "rule certificate-of-one" in brewery.chief.refused("technical", "add", "employer", *options)
    brewery.chief.do("technical", "replace", sender, *options)
    brewery.chief.do("technical", "check", sender, f"FI.DIMN.{sender}.20260105.00001.R.1")
    assert "rule" in brewery.chief.refused("technical", "check", sender, "FI.DIMN.999999.20260105.00001.R.1")
    assert "rule deletion-confirmed" in brewery.chief.refused("technical", "delete", sender, typed="n\n")
    brewery.chief.do("technical", "delete", sender, "--yes")
    assert brewery.chief.do("technical", "list", "--json") == []
    brewery.chief.do("technical", "add", "employer", *options)
    (again,) = brewery.chief.do("technical", "list", "--json")
    assert int(again["sender_number"]) == int(sender) + 1


def test_own_certificate_is_registered_and_removed(brewery: Brewery) -> None:
    certificate = brewery.office.state / "pki" / "persons" / "els-eid.pem"
    brewery.chief.do("own", "certificate", str(certificate))
    assert brewery.chief.do("show", f"{BREWERY}-U2", "--json")["certificate"]["kind"] == "eid_signature"
    brewery.chief.do("own", "certificate", "--remove")
    assert "name the file" in brewery.chief.refused("own", "certificate")
    assert "no PEM certificate" in brewery.chief.refused("own", "certificate", __file__)


def test_mandates_and_affiliations(brewery: Brewery) -> None:
    operator, chief = brewery.operator, brewery.chief
    register(operator, PROVIDER, "service_provider", name="Boekhouder")
    register(operator, SECRETARIAT, "recognised_social_secretariat", name="Secretariaat")
    (event,) = chief.do(
        *("mandate", "register", PROVIDER, "--group", "declarations", "--begin", "2026Q1", "--agreement", "--json")
    )
    mandate = event["mandate"]["mandate_id"]
    assert "rule nsso-only" in chief.refused("mandate", "activate", mandate)
    operator.do("mandate", "activate", mandate, "--enterprise", BREWERY)
    chief.do("mandate", "end", mandate, "--last-day", "2026-12-31")
    assert "ended" in chief.do("mandate", "list")
    begin = ("--begin", "2026-01-01")
    operator.do("affiliation", "record", SECRETARIAT, "--enterprise", BREWERY, *begin)
    assert "rule nsso-only" in chief.refused("affiliation", "end", SECRETARIAT, *begin, "--last-day", "2026-06-30")
    operator.do("affiliation", "end", SECRETARIAT, "--enterprise", BREWERY, *begin, "--last-day", "2026-06-30")
    (affiliation,) = chief.do("affiliation", "list", "--json")
    assert affiliation == {"secretariat": SECRETARIAT, "begin": "2026-01-01", "end": "2026-06-30"}


def test_appointment_is_refused_by_the_rule_that_it_breaks(office: Office) -> None:
    operator = add_operator(office)
    register(operator, BREWERY, "employer")
    ticket = request(operator, ELS)
    today = str(datetime.now(UTC).date())
    received = ("appointment", "receive", ticket, "--enterprise", BREWERY, "--received-on", today)
    assert "rule original-only; seed 001" in operator.refused(*received, "--medium", "fax")
    told = operator.refused("appointment", "approve", ticket, "--enterprise", BREWERY)
    assert "rule original-before-approval" in told
    operator.do("appointment", "refuse", ticket, "--enterprise", BREWERY, "--reason", "never sent")
    (listed,) = operator.do("appointment", "list", "--enterprise", BREWERY, "--json")
    assert listed["status"] == "refused"
    assert "name the enterprise" in operator.refused("appointment", "list")


def test_replaced_chief_is_logged_out(brewery: Brewery) -> None:
    appoint(brewery.operator, HUGO, BREWERY, "--replace")
    assert "this session was ended" in brewery.chief.refused("whoami")


def test_enterprise_is_updated_and_listed_by_operators_only(brewery: Brewery) -> None:
    options = ("--name", "Brouwerij Nieuw", "--legal-form", "BV", "--quality", "employer", "--nsso", "0199000184")
    assert "rule nsso-only" in brewery.chief.refused("enterprise", "update", BREWERY, *options)
    brewery.operator.do("enterprise", "update", BREWERY, *options, "--struck-off-on", "2030-01-01")
    assert "name: Brouwerij Nieuw" in brewery.chief.do("enterprise", "show")
    assert brewery.operator.do("enterprise", "list", "--json") == [BREWERY]
    assert "only an operator" in brewery.chief.refused("enterprise", "list")
    assert "your own enterprise only" in brewery.chief.refused("enterprise", "show", "--enterprise", PROVIDER)
    assert "dmfa" in brewery.chief.do("enterprise", "applications")


def test_history_shows_who_did_what_and_is_verified_against_a_head(brewery: Brewery) -> None:
    session = brewery.chief.do("whoami", "--json")["session"]
    create(brewery.chief, JAN)
    *_, last = brewery.chief.do("history", "show", "--json")
    assert (last["event"], last["actor"], last["session"]) == ("UserCreated", f"{BREWERY}-U2", session)
    head = brewery.operator.do("history", "verify", "--json")
    assert head["intact"] is True
    brewery.operator.do("history", "verify", "--head", f"{head['sequence']}:{head['digest']}")
    told = brewery.operator.refused("history", "verify", "--head", f"{head['sequence']}:{'0' * 64}")
    assert "NOT intact" in told
    assert "a head is a number" in brewery.operator.refused("history", "verify", "--head", "x")


def test_password_is_never_in_history_audit_or_output(brewery: Brewery) -> None:
    user_id = create(brewery.chief, JAN, "--user-name", "jan.peeters")
    told = brewery.chief.do("password", "set", user_id, "--password-stdin", typed=f"{NEW}\n")
    assert NEW not in told
    assert NEW not in brewery.operator.do("history", "show", "--enterprise", BREWERY, "--json").__repr__()
