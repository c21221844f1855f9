"""Every attack message is refused, with the one code that the index gives."""

from pathlib import Path

import pytest
import wss_world
import yaml
from lxml import etree

from fixtures import attacks
from fixtures.attacks import ATTACKS, Attack
from fixtures.messages import Shape, envelope, sign
from gateway.pki import KeyKind
from gateway.wss.faults import SecurityFault

FOLDER = Path(attacks.__file__).parent
MAKEABLE = list(ATTACKS.values())
STORED = [attack for attack in ATTACKS.values() if attack.stored is not None]


def test_the_message_that_attacks_are_made_from_is_accepted() -> None:
    material = wss_world.material()
    verified = wss_world.verify(sign(envelope(material.body_xml), material.client, material.now))
    assert verified.certificate.serial == 1001


@pytest.mark.parametrize("attack", MAKEABLE, ids=lambda attack: attack.name)
def test_attack_is_refused(attack: Attack) -> None:
    message = attack.make(wss_world.material())
    with pytest.raises(SecurityFault) as refusal:
        wss_world.verify(message)
    assert refusal.value.code == attack.code, refusal.value.reason


@pytest.mark.parametrize("attack", STORED, ids=lambda attack: attack.name)
def test_stored_attack_is_refused(attack: Attack) -> None:
    with pytest.raises(SecurityFault) as refusal:
        wss_world.verify(attack.stored or b"")
    assert refusal.value.code == attack.code, refusal.value.reason


def test_the_index_and_the_stored_files_agree() -> None:
    index = yaml.safe_load((FOLDER / "index.yaml").read_text("utf-8"))
    marked = {name for name, row in index.items() if row.get("stored")}
    assert {file.stem for file in FOLDER.glob("*.xml")} == marked
    assert all(row["tries"] for row in index.values())


def test_an_attack_message_fits_the_gateway() -> None:
    """A message that the size limit refuses would never show the defence that it is meant for."""
    sizes = {attack.name: len(attack.make(wss_world.material())) for attack in MAKEABLE}
    assert {name: size for name, size in sizes.items() if size > 256 * 1024} == {}


@pytest.mark.parametrize("attack", MAKEABLE, ids=lambda attack: attack.name)
def test_a_refusal_repeats_nothing_of_the_message(attack: Attack) -> None:
    with pytest.raises(SecurityFault) as refusal:
        wss_world.verify(attack.make(wss_world.material()))
    assert "attack" not in refusal.value.reason
    assert "127.0.0.1" not in refusal.value.reason
    assert len(refusal.value.reason) < 250


def test_a_key_of_the_other_kind_is_refused() -> None:
    ec_client = wss_world.client(KeyKind.EC)
    message = sign(envelope(wss_world.BODY), ec_client, wss_world.NOW)
    swapped = message.replace(b"#ecdsa-sha256", b"#rsa-sha256")
    with pytest.raises(SecurityFault) as refusal:
        wss_world.verify(swapped)
    assert refusal.value.code == "wsse:FailedCheck"
    assert "SignatureMethod" in refusal.value.reason


@pytest.mark.parametrize("shape", [Shape(), Shape(sign_token=True)])
def test_token_of_another_is_refused_whether_or_not_the_token_is_signed(shape: Shape) -> None:
    ours = etree.fromstring(sign(envelope(wss_world.BODY), wss_world.client(), wss_world.NOW, shape))
    theirs = etree.fromstring(sign(envelope(wss_world.BODY), wss_world.other(), wss_world.NOW, shape))
    path = ".//{*}BinarySecurityToken"
    ours.find(path).text = theirs.find(path).text
    with pytest.raises(SecurityFault) as refusal:
        wss_world.verify(etree.tostring(ours))
    assert refusal.value.code == "wsse:FailedCheck"


def test_the_signature_is_verified_before_a_body_is_digested() -> None:
    """Certificates are public: a stranger who sends one must not have a whole Body canonicalised."""
    forged = etree.fromstring(ATTACKS["tampered-signature-value"].make(wss_world.material()))
    forged[1][0].append(etree.Element("forged"))
    with pytest.raises(SecurityFault, match="over this SignedInfo"):
        wss_world.verify(etree.tostring(forged))
