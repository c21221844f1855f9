"""Changes of a message that knows nothing of what it means: of its tree, of its text, of its bytes."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from random import Random

from lxml import etree

from fixtures.employers import load_employers
from fixtures.world import load_all_personas

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
SSINS = tuple(dict.fromkeys(persona.ssin for persona in load_all_personas()))
_EMPLOYERS = load_employers()

# Values on the edge of what some type allows, or of what some reader survives.
VALUES = [
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
    "ssin": SSINS,
    "beginDate": _DAYS,
    "endDate": _DAYS,
    "beginQuarter": _QUARTERS,
    "endQuarter": _QUARTERS,
    "legalContext": _CONTEXTS,
    "cbeNumber": ("0999900150", "0999900249", "0999900447", "0999900546", "0999900645", "0208044709"),
    "sector": ("0", "1", "21", "25"),
    "institution": ("0", "1", "99"),
    "ticket": ("a", "ticket of mine", "A:b_c+d-e"),
    "dimonaPeriodId": ("100000001246", "100000000151", "100000000252", "999999999999"),
    "workerType": ("OTH", "STU", "FLX", "EXT", "TRI", "BCW"),
    "jointCommittee": ("118", "140.01", "302", "XXX"),
    "startingDate": _DAYS,
    "endingDate": _DAYS,
    "startingHour": ("00:00", "08:30", "23:59"),
    "endingHour": ("00:00", "12:00", "23:59"),
    "plannedHours": ("0", "1", "600", "999"),
    "quarter": _QUARTERS,
    "enterpriseNumber": [each.enterprise_number for each in _EMPLOYERS if each.enterprise_number],
    "nssoRegistrationNumber": [each.registration_number for each in _EMPLOYERS if each.register == "NSSO"],
    "echo": ("", "a]]>b", "\r\n\t", "\U0001f600", "&amp;"),
}
_NAMES = (
    *("ssin", "criteria", "period", "beginDate", "endDate", "beginQuarter", "endQuarter", "legalContext", "ticket"),
    *("informationCustomer", "informationCBSS", "customerIdentification", "cbeNumber", "sector", "institution", "echo"),
    *(
        "timestampSent",
        "ticketCBSS",
        "x",
        "{http://kszbcss.fgov.be/intf/SelfEmployedService/v2}consultCareerRequest",
        "{urn:a}x",
    ),
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


def change_tree(random: Random, root: etree._Element) -> None:
    """Change one thing in the tree; mostly a value for one that fits there too."""
    elements = list(root.iter("*"))
    random.choices(_CHANGES, _WEIGHTS)[0](random, random.choice(elements), root)


def _set_text(random: Random, element: etree._Element, root: etree._Element) -> None:
    leaves = [each for each in root.iter("*") if not len(each)]
    leaf = random.choice(leaves or [element])
    leaf.text = random.choice((random.choice(VALUES), random.choice(SSINS)))


def _set_fitting(random: Random, element: etree._Element, root: etree._Element) -> None:
    """Put a valid value for another one, so that the stages behind the schema get their share."""
    leaf = random.choice([each for each in root.iter("*") if each.tag in _FITTING] or [element])
    leaf.text = random.choice(_FITTING.get(leaf.tag, VALUES))


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
    element.set(random.choice(_ATTRIBUTES), random.choice((*_ATTRIBUTE_VALUES, *VALUES[:12])))


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


def edit_envelope(random: Random, content: bytes) -> bytes:
    """Change the envelope or its proof after signing."""
    root = etree.fromstring(content)
    for _ in range(random.choice((1, 1, 2, 4))):
        change_tree(random, random.choice((root, root[0], root[0][0] if len(root[0]) else root)))
    return etree.tostring(root)


def edit_bytes(random: Random, content: bytes) -> bytes:
    """Change some of the bytes."""
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


def insert_markup(random: Random, text: str) -> str:
    """Put a comment, a reference or the like into a text of XML."""
    markup, at = random.choice(_MARKUP), random.randrange(len(text) + 1)
    return text[:at] + markup + text[at:]
