"""Makes hostile requests out of valid ones, knowing their structure: the payload, the envelope, the proof, the bytes.

Most inputs are changed in the payload and then signed honestly: only these get behind the signature. Nothing here knows
what the gateway should answer.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from lxml import etree

from fixtures.attacks import Request
from fixtures.messages import ENVELOPED_SIGNATURE, EXCLUSIVE_C14N, NODE, NSSO, ZEEP, Shape, envelope, sign
from fixtures.personas import load_personas
from fuzz.target import SIGNERS, Target

SELF_EMPLOYED = "http://kszbcss.fgov.be/intf/SelfEmployedService/v2"
TEST_CONNECTION = "http://kszbcss.fgov.be/intf/TestConnectionService/v1"
CONSULT, CONNECTION = "/SelfEmployedService/v2/consult", "/TestConnectionService/v1/consult"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_TYPES = "http://kszbcss.fgov.be/types/SelfEmployed/v2"

_ASKERS = {
    "pcsa": ("<cbeNumber>0999900150</cbeNumber>", "PCSA:SOCIAL_INQUIRY"),
    "economy": ("<cbeNumber>0999900249</cbeNumber>", "FPSECO:ACTIVITY_PROOF_AS_SELF_EMPLOYED"),
    "integrator": ("<cbeNumber>0999900447</cbeNumber>", "PCSA:SOCIAL_INQUIRY"),
    "inspection": ("<cbeNumber>0999900645</cbeNumber>", "PPSSI:SOCIAL_FRAUD"),
    "support": ("<cbeNumber>0999900744</cbeNumber>", "PCSA:SOCIAL_INQUIRY"),
    "probe": ("<cbeNumber>0999900843</cbeNumber>", "PCSA:SOCIAL_INQUIRY"),
    "career-account": ("<sector>21</sector><institution>0</institution>", "SIGEDIS:CAREER_ACCOUNT"),
}
_SSINS = [persona.ssin for persona in load_personas()]

# Values on the edge of what some type allows, or of what some reader survives.
_VALUES = [
    *(
        "",
        " ",
        "\n",
        "0",
        "-1",
        "+1",
        "1e9",
        "NaN",
        "true",
        "2147483648",
        "9" * 40,
        "\u0667\u0665\u0666\u0663\u0661\u0662\u0669\u0660\u0661\u0667\u0666",
        "\u0966999900150",
        "²",
    ),
    *("00000000000", "99999999999", "75631290177", "12345678901", "0999900150", "0999900249", "1999900150"),
    *(
        "2015-01-01",
        "2015-02-30",
        "0000-01-01",
        "0001-01-01",
        "-0001-01-01",
        "9999-12-31",
        "12015-01-01",
        "2015-01-01Z",
    ),
    *("9999-12-31+14:00", "0001-01-01-14:00", "2015-13-01", "2015-01-01T24:00:00Z", "2015-01-01T10:00:00.123456789Z"),
    *("2015Q1", "2015Q0", "2015Q5", "0000Q1", "0001Q1", "9999Q4", "10000Q1", "2998Q1", "1850Q4", "2015q1", " 2015Q1"),
    *("PCSA:SOCIAL_INQUIRY", "SIGEDIS:CAREER_ACCOUNT", "PCSA:DEBT_RECOVERY", "pcsa:social_inquiry", "A" * 64, "A" * 65),
    *("' OR 1=1 --", "%s%n", "${jndi:ldap://127.0.0.1:9/a}", "../../etc/passwd", "<a>&</a>", "]]>", "\u2028", "\u0085"),
    *("\U0001f600" * 20, "e\u0301", "\ufffd", "\u202e", "a" * 300, "a" * 5000, "\r\n", "\t", "xml", "None"),
]
_DAYS = ("0001-01-01", "1900-02-28", "1999-12-31Z", "2018-06-01", "2020-02-29", "2025-01-01+14:00", "9999-12-31")
_QUARTERS = ("1850Q1", "1956Q1", "1999Q4", "2017Q4", "2018Q2", "2019Q1", "2026Q4", "2999Q4")
_CONTEXTS = ("PCSA:SOCIAL_INQUIRY", "PCSA:DEBT_RECOVERY", "PPSSI:SOCIAL_FRAUD", "DGO6:PROFESIONAL_CARD", "A b", "0_")
_FITTING: Mapping[str, Sequence[str]] = {
    "ssin": _SSINS,
    "beginDate": _DAYS,
    "endDate": _DAYS,
    "beginQuarter": _QUARTERS,
    "endQuarter": _QUARTERS,
    "legalContext": _CONTEXTS,
    "cbeNumber": ("0999900150", "0999900249", "0999900447", "0999900546", "0999900645", "0208044709"),
    "sector": ("0", "1", "21", "25"),
    "institution": ("0", "1", "99"),
    "ticket": ("a", "ticket of mine", "A:b_c+d-e"),
    "echo": ("", "a]]>b", "\r\n\t", "\U0001f600", "&amp;"),
}
_NAMES = (
    *("ssin", "criteria", "period", "beginDate", "endDate", "beginQuarter", "endQuarter", "legalContext", "ticket"),
    *("informationCustomer", "informationCBSS", "customerIdentification", "cbeNumber", "sector", "institution", "echo"),
    *("timestampSent", "ticketCBSS", "x", f"{{{SELF_EMPLOYED}}}consultCareerRequest", "{urn:a}x"),
)
_ATTRIBUTES = (
    *("Id", "ID", "id", "href", "x", f"{{{_XSI}}}type", f"{{{_XSI}}}nil", f"{{{_XSI}}}schemaLocation"),
    *("{http://www.w3.org/XML/1998/namespace}id", "{http://www.w3.org/XML/1998/namespace}base", "{urn:a}x"),
    "{http://schemas.xmlsoap.org/soap/envelope/}mustUnderstand",
)
_ATTRIBUTE_VALUES = (
    "",
    "1",
    "true",
    "body",
    "#body",
    "token",
    "t:ConsultCareerRequestType",
    "xsd:string",
    "urn:a a.xsd",
    "é",
)
_MARKUP = ("<!---->", "<!-- 75631290176 -->", "<![CDATA[]]>", "<?x y?>", "&#32;", "&#x41;", "&x;", "\n", "<x/>", "&#0;")
_CONTENT_TYPES = ("", "text/xml", "application/xml", "text/xml; charset=latin-1", "text/plain", "a/b; c*=x''%ff", "é")
_ACTIONS = ('""', '"http://kszbcss.fgov.be/SelfEmployedService/consultCareer"', "urn:a", '"', "\u00ff")


@dataclass(frozen=True, slots=True)
class Input:
    """One request and who asks: a client that signs or connects, or None for a stranger."""

    request: Request
    client: str | None


def make_input(target: Target, seed: int, number: int) -> Input:
    """Make the input of this number; the same but for its times (and ECDSA's randomness) whenever it is made."""
    # Not for secrets.
    random = Random(f"{seed}:{number}")  # noqa: S311
    client = random.choices((*SIGNERS, "career-account"), (40, 25, 20, 1, 5, 4, 5))[0]
    payload, path = _valid_payload(random, client)
    for _ in range(random.choices((0, 1, 2, 3, 5), (10, 40, 25, 15, 10))[0]):
        _change_tree(random, payload)
    text = etree.tostring(payload, encoding="unicode")
    if random.random() < 0.1:
        text = _insert(random, text, random.choice(_MARKUP))
    try:
        content = _prove(target, random, client, text)
    except etree.LxmlError:
        # No honest client could sign this; send it as a stranger would.
        return Input(Request(envelope(text), path=path), None)
    if client == "career-account":
        return Input(_over_http(random, Request(content, path=path, client=client)), client)
    kind = random.random()
    if kind < 0.15:
        content = _edit_envelope(random, content)
    elif kind < 0.3:
        content = _edit_bytes(random, content)
    return Input(_over_http(random, Request(content, path=path)), client)


def _valid_payload(random: Random, client: str) -> tuple[etree._Element, str]:
    if random.random() < 0.15:
        echo = f'<t:sendTestMessageRequest xmlns:t="{TEST_CONNECTION}"><echo>hello</echo></t:sendTestMessageRequest>'
        return etree.fromstring(echo), CONNECTION
    customer, context = _ASKERS[client]
    operation = random.choice(("consultCareer", "consultContributions"))
    period = ""
    if operation == "consultContributions" or random.random() < 0.4:
        names = ("beginQuarter", "endQuarter") if operation == "consultContributions" else ("beginDate", "endDate")
        values = ("2018Q1", "2019Q4") if operation == "consultContributions" else ("2018-01-01", "2019-12-31")
        period = "".join(f"<{name}>{value}</{name}>" for name, value in zip(names, values, strict=True))
        period = f"<period>{period}</period>"
    ticket = "<ticket>a ticket</ticket>" if random.random() < 0.3 else ""
    text = (
        f'<v2:{operation}Request xmlns:v2="{SELF_EMPLOYED}" xmlns:t="{_TYPES}"><informationCustomer>{ticket}'
        f"<customerIdentification>{customer}</customerIdentification></informationCustomer>"
        f"<legalContext>{context}</legalContext><criteria><ssin>{random.choice(_SSINS)}</ssin>{period}</criteria>"
        f"</v2:{operation}Request>"
    )
    return etree.fromstring(text), CONSULT


def _change_tree(random: Random, root: etree._Element) -> None:
    elements = list(root.iter("*"))
    random.choices(_CHANGES, _WEIGHTS)[0](random, random.choice(elements), root)


def _set_text(random: Random, element: etree._Element, root: etree._Element) -> None:
    leaves = [each for each in root.iter("*") if not len(each)]
    leaf = random.choice(leaves or [element])
    leaf.text = random.choice((random.choice(_VALUES), random.choice(_SSINS)))


def _set_fitting(random: Random, element: etree._Element, root: etree._Element) -> None:
    """Put a valid value for another one, so that the stages behind the schema get their share."""
    leaf = random.choice([each for each in root.iter("*") if each.tag in _FITTING] or [element])
    leaf.text = random.choice(_FITTING.get(leaf.tag, _VALUES))


def _spoil_text(random: Random, element: etree._Element, root: etree._Element) -> None:
    leaves = [each for each in root.iter("*") if each.text]
    if leaves:
        leaf = random.choice(leaves)
        text = leaf.text or ""
        at = random.randrange(len(text) + 1)
        leaf.text = random.choice((text[:at], text[:at] + random.choice("09aé \n<&") + text[at:], text * 2, text[at:]))


def _duplicate(random: Random, element: etree._Element, root: etree._Element) -> None:
    if element is not root:
        for _ in range(random.choice((1, 1, 2, 20))):
            element.addnext(deepcopy(element))


def _remove(random: Random, element: etree._Element, root: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None and element is not root:
        parent.remove(element)


def _move(random: Random, element: etree._Element, root: etree._Element) -> None:
    places = [each for each in root.iter("*") if each is not element and element not in each.iterancestors()]
    if element is not root and places:
        random.choice(places).insert(random.randrange(3), element)


def _rename(random: Random, element: etree._Element, root: etree._Element) -> None:
    element.tag = random.choice(_NAMES)


def _add(random: Random, element: etree._Element, root: etree._Element) -> None:
    element.insert(random.randrange(3), etree.Element(random.choice(_NAMES)))


def _set_attribute(random: Random, element: etree._Element, root: etree._Element) -> None:
    element.set(random.choice(_ATTRIBUTES), random.choice((*_ATTRIBUTE_VALUES, *_VALUES[:12])))


def _wrap(random: Random, element: etree._Element, root: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None and element is not root:
        for _ in range(random.choice((1, 2, 30))):
            wrapper = etree.Element(random.choice(("x", "criteria", "{urn:a}x")))
            parent.replace(element, wrapper)
            wrapper.append(element)
            parent = wrapper


_Change = Callable[[Random, etree._Element, etree._Element], None]
_CHANGES: Sequence[_Change] = (
    *(_set_fitting, _set_text, _spoil_text, _duplicate, _remove, _move, _rename, _add, _set_attribute, _wrap),
)
_WEIGHTS = (70, 25, 15, 6, 6, 4, 4, 4, 8, 3)


def _prove(target: Target, random: Random, client: str, text: str) -> bytes:
    """Sign as the client's annex demands; now and then otherwise, as clients may and strangers do."""
    if client == "career-account":
        return envelope(text)
    shape = NSSO if client == "inspection" else ZEEP
    now: datetime = target.clock()
    if random.random() < 0.25:
        shape = random.choice(
            (
                NODE,
                NSSO,
                replace(ZEEP, prefixes=("soap", "v2", "wsu")),
                replace(ZEEP, prefixes=("#default", "nobody")),
                replace(ZEEP, expires_in=None),
                replace(ZEEP, created_offset=timedelta(seconds=random.randrange(-400, 120))),
                replace(
                    ZEEP,
                    created_text=random.choice(("2015-01-01", "9999-12-31T23:59:59Z", "x", "0001-01-01T00:00:00Z")),
                ),
                Shape(transforms=(ENVELOPED_SIGNATURE, EXCLUSIVE_C14N), sign_token=True, plain_id=True),
            )
        )
    return sign(envelope(text), target.identities[client], now, shape)


def _edit_envelope(random: Random, content: bytes) -> bytes:
    """Change the envelope or its proof after signing."""
    root = etree.fromstring(content)
    for _ in range(random.choice((1, 1, 2, 4))):
        _change_tree(random, random.choice((root, root[0], root[0][0] if len(root[0]) else root)))
    return etree.tostring(root)


def _edit_bytes(random: Random, content: bytes) -> bytes:
    data = bytearray(content)
    for _ in range(random.choice((1, 1, 3, 10))):
        at = random.randrange(len(data) + 1)
        kind = random.randrange(6)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << random.randrange(8)
        elif kind == 1:
            data[at:at] = random.choice(
                (b"<", b">", b"&", b'"', b"\0", b"\xff", b"<!--", b"]]>", b"\xef\xbb\xbf", b"<?x?>")
            )
        elif kind == 2:
            del data[at : at + random.randrange(1, 40)]
        elif kind == 3:
            data[at:at] = data[at : at + random.randrange(1, 400)]
        elif kind == 4:
            del data[at:]
        else:
            data[at:at] = random.choice(_MARKUP).encode()
    return bytes(data)


def _insert(random: Random, text: str, markup: str) -> str:
    at = random.randrange(len(text) + 1)
    return text[:at] + markup + text[at:]


def _over_http(random: Random, request: Request) -> Request:
    if random.random() > 0.05:
        return request
    return random.choice(
        (
            replace(request, headers={"Content-Type": random.choice(_CONTENT_TYPES)}),
            replace(request, headers={"SOAPAction": random.choice(_ACTIONS)}),
            replace(request, headers={"Content-Encoding": random.choice(("gzip", "identity", "x"))}),
            replace(request, path=random.choice((CONSULT, CONNECTION))),
            replace(request, method=random.choice(("GET", "PUT", "OPTIONS"))),
        )
    )
