"""Structured messages: who sets them up, for which services, over which channel, under which certificate."""

from authz.user_management.answer import Rule
from authz.user_management.applications import load_applications
from authz.user_management.model import (
    Administration,
    CertificateKind,
    Channel,
    FixedNetwork,
    Region,
)
from authz.user_management.question import Question

SIGNATURE_FILE = "FS"
SIGNS_FILES = frozenset({CertificateKind.EID_SIGNATURE, CertificateKind.PERSONALSIGN_3_PRO})


def _has_user(question: Question) -> bool:
    return any(user.quality is question.quality for user in question.account.users.values())


def _is_accepted(question: Question) -> bool:
    command = question.command
    if command.certificate is None or getattr(command, "channel", None) is Channel.WEB_SERVICE:
        return True
    return command.certificate.kind in SIGNS_FILES


def _are_structured(question: Question) -> bool:
    services = [load_applications().get(each) for each in question.command.services]
    return bool(services) and all(
        each is not None and each.structured and question.quality in each.qualities for each in services
    )


def _is_certificate_free(question: Question) -> bool:
    number = getattr(question.command, "sender_number", None)
    return not question.world.is_certificate_taken(question.command.certificate.fingerprint, number)


def _are_named(question: Question) -> bool:
    return all(question.command.sender_number in name.split(".") for name in question.command.file_names)


def _are_signed(question: Question) -> bool:
    technical_user = question.account.technical_users.get(question.command.sender_number)
    if technical_user is None or technical_user.channel is Channel.WEB_SERVICE:
        return technical_user is not None
    names = set(question.command.file_names)
    return all(name.startswith(SIGNATURE_FILE) or SIGNATURE_FILE + name[2:] in names for name in names)


STRUCTURED_BY_ACCESS_MANAGER = Rule(
    "structured-by-access-manager",
    "Structured messages are set up by an access manager of their quality.",
    "seed 002, Verzending via gestructureerde berichten configureren",
    lambda question: question.is_access_manager(question.quality),
)
STRUCTURED_NEEDS_USER = Rule(
    "structured-needs-user",
    "File transfer needs at least one user.",
    "seed 001, Inleiding",
    _has_user,
)
STRUCTURED_SERVICES = Rule(
    "structured-services",
    "A technical user sends for one or more online services that take structured messages in its quality.",
    "seed 002, Hoe configureert u de verzending via gestructureerde berichten?",
    _are_structured,
)
CERTIFICATE_VALID = Rule(
    "certificate-valid",
    "A certificate is valid on the day on which it is loaded.",
    "seed 002, Een certificaat opladen voor de verzending via gestructureerde berichten",
    lambda question: question.command.certificate is None or question.day <= question.command.certificate.not_after,
)
CERTIFICATE_ACCEPTED = Rule(
    "certificate-accepted",
    "A person's certificate, and that for SFTP and FTP, is the signature certificate of an eID or PersonalSign 3 Pro.",
    "seed 002, Een certificaat opladen voor de verzending via gestructureerde berichten",
    _is_accepted,
)
CERTIFICATE_OF_ONE = Rule(
    "certificate-of-one",
    "A certificate stands for one technical user.",
    "ours",
    _is_certificate_free,
)
FIXED_NETWORK_CHANNEL = Rule(
    "fixed-network-channel",
    "A fixed connection is one of the FTP channel.",
    "seed 002, Specifiek voor provinciale en plaatselijke besturen",
    lambda question: question.command.network is None or question.command.channel is Channel.FTP,
)
FIXED_NETWORK_LOCAL = Rule(
    "fixed-network-local",
    "Fixed connections are for provincial and local administrations.",
    "seed 002, Specifiek voor provinciale en plaatselijke besturen",
    lambda question: question.command.network is None or question.enterprise.administration is not None,
)
IRISNET_BRUSSELS = Rule(
    "irisnet-brussels",
    "Irisnet is for employers of the Brussels-Capital Region.",
    "seed 002, Specifiek voor provinciale en plaatselijke besturen",
    lambda question: (
        question.command.network is not FixedNetwork.IRISNET or question.enterprise.region is Region.BRUSSELS
    ),
)
PUBLILINK_MUNICIPALITIES = Rule(
    "publilink-municipalities",
    "Publilink is for municipalities.",
    "seed 002, Specifiek voor provinciale en plaatselijke besturen",
    lambda question: (
        question.command.network is not FixedNetwork.PUBLILINK
        or question.enterprise.administration is Administration.MUNICIPALITY
    ),
)
SENDER_NUMBER_KNOWN = Rule(
    "sender-number-known",
    "A sender number is one that was given to this enterprise and is in use.",
    "seed 002, Wat is mijn verzendernummer en waar kan ik het terugvinden?",
    lambda question: question.command.sender_number in question.account.technical_users,
)
FILE_NAME_HAS_SENDER_NUMBER = Rule(
    "file-name-has-sender-number",
    "The sender number stands in the name of every file that is sent.",
    "seed 002, Wat is mijn verzendernummer en waar kan ik het terugvinden?",
    _are_named,
)
SIGNATURE_FILE_SENT = Rule(
    "signature-file-sent",
    "Every file over SFTP or FTP is sent with its signature file, of the same name with FS in front for FI.",
    "seed 002, Een certificaat opladen voor de verzending via gestructureerde berichten",
    _are_signed,
)
RULES = (
    STRUCTURED_BY_ACCESS_MANAGER,
    STRUCTURED_NEEDS_USER,
    STRUCTURED_SERVICES,
    CERTIFICATE_VALID,
    CERTIFICATE_ACCEPTED,
    CERTIFICATE_OF_ONE,
    FIXED_NETWORK_CHANNEL,
    FIXED_NETWORK_LOCAL,
    IRISNET_BRUSSELS,
    PUBLILINK_MUNICIPALITIES,
    SENDER_NUMBER_KNOWN,
    FILE_NAME_HAS_SENDER_NUMBER,
    SIGNATURE_FILE_SENT,
)
