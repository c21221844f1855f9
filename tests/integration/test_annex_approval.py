"""Four eyes: what one operator proposes another approves, and whatever is not signed by both gives no rights."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from annex_world import EARLY, AnnexWorld, by_fingerprint, document, found, open_annex_world, wait_until
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from databases import Databases
from sqlalchemy import delete, insert, update
from storage_world import NOON

from gateway.annexes.activation import Activation, approval_of
from gateway.annexes.approval import AnnexRefused
from gateway.annexes.operators import Operator, OperatorKeys, OperatorUnknown, public_pem
from gateway.annexes.store import LEAD_TIME, LONGEST_WAIT, Proposal
from gateway.demo_world import activate
from gateway.storage.tables import annex_proposals, annex_revisions, annex_signatures

TOMORROW = NOON + timedelta(days=1)


@pytest.fixture
def world(databases: Databases, tmp_path: Path) -> Iterator[AnnexWorld]:
    with open_annex_world(databases, tmp_path) as opened:
        yield opened


def test_a_proposal_changes_nothing_until_another_operator_approves_it(world: AnnexWorld) -> None:
    proposal = world.approvals.propose(document(), by=world.an)
    assert list(world.store.load_after()) == []
    assert world.store.load_proposals() == [proposal]
    activation = world.approvals.approve(proposal, by=world.bram)
    assert activation.active_from == NOON + LEAD_TIME
    assert list(world.store.load_after()) == [activation]
    assert world.store.load_proposals() == []


def test_who_proposes_cannot_approve(world: AnnexWorld) -> None:
    proposal = world.approvals.propose(document(), by=world.an)
    with pytest.raises(AnnexRefused, match="an proposed it"):
        world.approvals.approve(proposal, by=world.an)
    with pytest.raises(AnnexRefused, match="proposed it"):
        world.approvals.approve(proposal, by=Operator("annie", world.an.key))
    assert list(world.store.load_after()) == []


def test_one_key_under_two_names_is_nobodys(world: AnnexWorld) -> None:
    (world.operators.directory / "annie.pub").write_bytes(public_pem(world.an.key))
    world.operators.look()
    with pytest.raises(OperatorUnknown, match="an and annie have the same key"):
        world.operators.identify(world.an.key)


def test_what_is_approved_is_just_what_was_shown(world: AnnexWorld) -> None:
    shown = world.approvals.propose(document(), by=world.an)
    world.approvals.withdraw("pcsa", by=world.an)
    world.approvals.propose(document(v="wider"), by=world.an)
    with pytest.raises(AnnexRefused, match="another or gone"):
        world.approvals.approve(shown, by=world.bram)


@pytest.mark.parametrize(
    "change", [{"active_from": EARLY}, {"client": "economy"}, {"after": "0" * 64}, {"proposed_by": "bram"}]
)
def test_a_proposal_that_was_changed_in_the_database_cannot_be_approved(
    world: AnnexWorld, change: dict[str, Any]
) -> None:
    world.approvals.propose(document(), by=world.an)
    with world.world.database.write() as connection:
        connection.execute(update(annex_proposals).values(**change))
    (changed,) = world.store.load_proposals()
    with pytest.raises(AnnexRefused, match=r"did not sign|not what its document"):
        world.approvals.approve(changed, by=world.bram)


def test_there_is_one_proposal_for_a_client_at_a_time(world: AnnexWorld) -> None:
    with ThreadPoolExecutor(2) as pool:
        tried = [pool.submit(_propose, world, document(v=number)) for number in range(2)]
    assert {type(each.result()) for each in tried} == {Proposal, AnnexRefused}


def _propose(world: AnnexWorld, text: str) -> Proposal | AnnexRefused:
    try:
        return world.approvals.propose(text, by=world.an)
    except AnnexRefused as refused:
        return refused


def test_of_two_approvals_at_once_one_counts(world: AnnexWorld) -> None:
    proposal = world.approvals.propose(document(), by=world.an)

    def approve() -> bool:
        try:
            world.approvals.approve(proposal, by=world.bram)
        except AnnexRefused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: approve(), range(4))) == 1
    assert len(list(world.store.load_after())) == 1


def test_a_proposal_lapses_at_its_instant_or_after_a_week(world: AnnexWorld) -> None:
    dated = world.approvals.propose(document(), by=world.an, active_from=TOMORROW)
    undated = world.approvals.propose(by_fingerprint("economy", "aa" * 32), by=world.an)
    assert (dated.lapses_at, undated.lapses_at) == (TOMORROW, NOON + LONGEST_WAIT)
    world.world.clock.now = undated.lapses_at
    for proposal in (dated, undated):
        with pytest.raises(AnnexRefused, match="lapsed"):
            world.approvals.approve(proposal, by=world.bram)
    again = world.approvals.propose(document(), by=world.an)
    assert world.approvals.approve(again, by=world.bram).signatures is not None


def test_an_approval_lies_two_seconds_ahead(world: AnnexWorld) -> None:
    activate(world.approvals, document(), active_from=EARLY)
    proposal = world.approvals.propose(document(v=2), by=world.an, active_from=TOMORROW)
    world.world.clock.now = TOMORROW - timedelta(seconds=1)
    with pytest.raises(AnnexRefused, match="or later"):
        world.approvals.approve(proposal, by=world.bram)


def test_a_planned_annex_can_be_replaced_at_its_own_instant(world: AnnexWorld) -> None:
    first = activate(world.approvals, document(), active_from=EARLY)
    activate(world.approvals, document(serial=2), active_from=TOMORROW)
    activate(world.approvals, first.document, active_from=TOMORROW)
    assert found(world.registry, TOMORROW) == "pcsa"


def test_every_step_is_recorded_with_who_took_it(world: AnnexWorld) -> None:
    world.approvals.propose(document(), by=world.an)
    world.approvals.withdraw("pcsa", by=world.bram)
    world.approvals.approve(world.approvals.propose(document(), by=world.bram), by=world.an)
    assert [(row["operation"], row["client"]) for row in world.world.rows()] == [
        ("annex propose", "an"),
        ("annex withdraw", "bram"),
        ("annex propose", "bram"),
        ("annex activate", "bram, an"),
    ]


def _write(world: AnnexWorld, *statements: Any) -> None:
    with world.world.database.write() as connection:
        for statement in statements:
            connection.execute(statement)


def _revision(**values: Any) -> Callable[[Activation], Any]:
    return lambda narrow: update(annex_revisions).where(annex_revisions.c.sequence == narrow.sequence).values(**values)


def _signed(**values: Any) -> Callable[[Activation], Any]:
    return lambda narrow: (
        update(annex_signatures).where(annex_signatures.c.sequence == narrow.sequence).values(**values)
    )


TAMPERINGS = {
    "document": _revision(document=document(v="wide")),
    "revision": _revision(revision="0" * 64),
    "certificates": _revision(certificates=["sha256:" + "f" * 64, "serial:1001:CN=KSZ"]),
    "active_from earlier": _revision(active_from=EARLY - timedelta(days=1)),
    "active_from later": _revision(active_from=NOON + timedelta(days=3650)),
    "recorded_at": _revision(recorded_at=EARLY),
    "after": _signed(after=""),
    "follows": _signed(follows="0" * 64),
    "ordered_for": _signed(ordered_for=EARLY),
    "proposed_by": _signed(proposed_by="bram"),
    "proposed_at": _signed(proposed_at=EARLY),
    "proposal_signature": _signed(proposal_signature=b"\0" * 64),
    "approved_by": _signed(approved_by="an"),
    "approval_signature": _signed(approval_signature=b"\0" * 64),
    "signatures taken away": lambda narrow: delete(annex_signatures).where(
        annex_signatures.c.sequence == narrow.sequence
    ),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_an_activation_that_was_changed_gives_no_rights_and_is_told(world: AnnexWorld, name: str) -> None:
    activate(world.approvals, document(v="wide"), active_from=EARLY)
    activate(world.approvals, by_fingerprint("economy", "aa" * 32), active_from=EARLY)
    narrow = activate(world.approvals, document(v="narrow"))
    after = NOON + timedelta(minutes=1)
    assert found(world.registry, after) == "pcsa"
    _write(world, TAMPERINGS[name](narrow))
    with structlog.testing.capture_logs() as logs:
        registry = world.restarted()
        assert found(registry, after) is None
        assert found(registry, after, fingerprint="aa" * 32, serial=7) == "economy"
        wait_until(lambda: registry.list_without_rights(after) == ["pcsa"])
    assert ("annex_not_proved", "error", "pcsa") in [
        (each["event"], each["log_level"], each.get("client")) for each in logs
    ]


def test_a_row_that_nobody_signed_gives_no_rights(world: AnnexWorld) -> None:
    genuine = activate(world.approvals, document(), active_from=EARLY)
    row = {
        "revision": genuine.revision,
        "client": "thief",
        "certificates": ["sha256:" + "bb" * 32],
        "active_from": EARLY,
        "recorded_at": EARLY,
        "document": by_fingerprint("thief", "bb" * 32),
    }
    _write(world, insert(annex_revisions).values(**row))
    assert found(world.registry, fingerprint="bb" * 32, serial=7) is None
    wait_until(lambda: world.registry.list_without_rights(NOON) == ["thief"])


def test_one_operator_with_access_to_the_database_cannot_activate_alone(world: AnnexWorld) -> None:
    activation = activate(world.approvals, document(), active_from=EARLY)
    assert activation.signatures is not None
    own = world.an.sign(approval_of(activation, replace(activation.signatures, approved_by="an")).octets())
    _write(world, update(annex_signatures).values(approved_by="an", approval_signature=own))
    assert found(world.restarted()) is None


def _forge(world: AnnexWorld, ordered: Activation, newest: Activation) -> None:
    """Write, as bram alone, what an once ordered as the next activation."""
    assert ordered.signatures is not None
    assert newest.signatures is not None
    signed = replace(ordered.signatures, follows=approval_of(newest, newest.signatures).digest, approved_by="bram")
    forged = replace(ordered, sequence=newest.sequence + 1, active_from=NOON + LEAD_TIME, signatures=signed)
    signed = replace(signed, approval_signature=world.bram.sign(approval_of(forged, signed).octets()))
    names = ("sequence", "revision", "client", "active_from", "recorded_at", "document")
    row = {name: getattr(forged, name) for name in names} | {"certificates": sorted(forged.certificates)}
    signatures = {each.name: getattr(signed, each.name) for each in fields(signed)}
    _write(
        world,
        insert(annex_revisions).values(**row),
        insert(annex_signatures).values(sequence=forged.sequence, **signatures),
    )


def test_an_order_that_served_once_serves_no_second_time(world: AnnexWorld) -> None:
    wide = activate(world.approvals, document(v="wide"))
    narrow = activate(world.approvals, document(serial=2))
    _forge(world, ordered=wide, newest=narrow)
    after = NOON + timedelta(minutes=1)
    for registry in (world.registry, world.restarted()):
        assert found(registry, after) is None
        assert found(registry, after, serial=2) is None
        wait_until(lambda registry=registry: registry.list_without_rights(after) == ["pcsa"])


def test_an_order_serves_no_second_time_in_the_place_of_what_it_was_for(world: AnnexWorld) -> None:
    wide = activate(world.approvals, document(v="wide"))
    narrow = activate(world.approvals, document(serial=2))
    of_wide = annex_signatures.c.sequence == wide.sequence, annex_revisions.c.sequence == wide.sequence
    _write(world, delete(annex_signatures).where(of_wide[0]), delete(annex_revisions).where(of_wide[1]))
    _forge(world, ordered=wide, newest=narrow)
    assert found(world.restarted(), NOON + timedelta(minutes=1)) is None


def test_an_activation_taken_out_of_the_middle_is_found_missing(world: AnnexWorld) -> None:
    activate(world.approvals, document(), active_from=EARLY)
    taken = activate(world.approvals, document(v=2))
    last = activate(world.approvals, by_fingerprint("economy", "aa" * 32), active_from=EARLY)
    of_taken = annex_signatures.c.sequence == taken.sequence, annex_revisions.c.sequence == taken.sequence
    _write(world, delete(annex_signatures).where(of_taken[0]), delete(annex_revisions).where(of_taken[1]))
    registry = world.restarted()
    assert found(registry) == "pcsa"
    wait_until(lambda: registry.gaps == (last.sequence,))


def test_the_newest_activation_taken_away_is_found_by_the_next_one_in_a_running_worker(world: AnnexWorld) -> None:
    activate(world.approvals, document(), active_from=EARLY)
    taken = activate(world.approvals, document(v=2))
    wait_until(lambda: found(world.registry) == "pcsa")
    of_taken = annex_signatures.c.sequence == taken.sequence, annex_revisions.c.sequence == taken.sequence
    _write(world, delete(annex_signatures).where(of_taken[0]), delete(annex_revisions).where(of_taken[1]))
    assert world.registry.gaps == ()
    following = activate(world.approvals, by_fingerprint("economy", "aa" * 32), active_from=EARLY)
    assert following.sequence > taken.sequence
    wait_until(lambda: world.registry.gaps == (following.sequence,))


def test_what_a_retired_operator_signed_stays_valid_and_nothing_newer(world: AnnexWorld) -> None:
    first = activate(world.approvals, document(), active_from=EARLY)
    second = activate(world.approvals, by_fingerprint("economy", "aa" * 32), active_from=EARLY)
    _retire(world, f"retired/an.{first.sequence}.pub")
    registry = world.restarted()
    assert found(registry) == "pcsa"
    assert second.sequence > first.sequence
    assert found(registry, fingerprint="aa" * 32, serial=7) is None
    with pytest.raises(OperatorUnknown, match="no operator"):
        registry._store.operators.identify(world.an.key)


def test_a_running_worker_follows_the_operators_keys(world: AnnexWorld) -> None:
    activation = activate(world.approvals, document(), active_from=EARLY)
    assert found(world.registry) == "pcsa"
    _retire(world, "stolen")
    wait_until(lambda: found(world.registry) is None)
    wait_until(lambda: world.registry.list_without_rights(NOON) == ["pcsa"])
    directory = world.operators.directory
    (directory / "stolen").rename(directory / "retired" / f"an.{activation.sequence}.pub")
    wait_until(lambda: found(world.registry) == "pcsa")
    wait_until(lambda: world.registry.list_without_rights(NOON) == [])


def _retire(world: AnnexWorld, name: str) -> None:
    directory = world.operators.directory
    (directory / "retired").mkdir()
    (directory / "an.pub").rename(directory / name)


def test_annexes_from_before_signatures_are_signed_as_they_were_in_force(world: AnnexWorld) -> None:
    activate(world.approvals, document(), active_from=EARLY)
    _write(world, delete(annex_signatures))
    registry = world.restarted()
    assert found(registry) is None
    activate(world.approvals, document(), active_from=EARLY)
    wait_until(lambda: found(registry) == "pcsa")
    assert registry.list_without_rights(NOON) == []


def test_a_key_that_is_no_operators_activates_nothing(world: AnnexWorld) -> None:
    stranger = Operator("an", Ed25519PrivateKey.generate())
    proposal = world.approvals.propose(document(), by=stranger)
    with pytest.raises(AnnexRefused, match="did not sign"):
        world.approvals.approve(proposal, by=world.bram)
    world.approvals.withdraw("pcsa", by=world.bram)
    genuine = world.approvals.propose(document(), by=world.an)
    world.approvals.approve(genuine, by=replace(stranger, name="bram"))
    assert found(world.registry, NOON + timedelta(minutes=1)) is None


@pytest.mark.parametrize("name", [".", "an.pub"])
def test_a_key_that_anybody_may_write_is_no_operators(world: AnnexWorld, name: str) -> None:
    (world.operators.directory / name).chmod(0o777)
    known = OperatorKeys(world.operators.directory).known
    assert "an" not in known
    assert ("bram" in known) is (name == "an.pub")


def test_an_activation_moved_to_another_client_takes_that_clients_rights(world: AnnexWorld) -> None:
    activate(world.approvals, by_fingerprint("economy", "aa" * 32), active_from=EARLY)
    moved = activate(world.approvals, document(), active_from=EARLY)
    _write(world, _revision(client="economy")(moved))
    registry = world.restarted()
    assert found(registry) is None
    assert found(registry, fingerprint="aa" * 32, serial=7) is None
    wait_until(lambda: registry.list_without_rights(NOON) == ["economy"])
