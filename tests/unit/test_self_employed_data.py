"""The data files of SelfEmployedService and its descriptor: status table, code tables, documentation."""

from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from services.self_employed import DESCRIPTOR, codes
from services.statuses import render_status_table
from services.subject import make_subject

DOCUMENT = Path(__file__).parents[2] / "docs" / "services" / "self-employed.md"

# The order that CONTRACTS gives for the authorisation checks, then that of the source.
CHECKS = [
    "MSG00014", "MSG00013", "MSG00027", "MSG00011", "MSG00005", "MSG00012", "MSG00006", "MSG00007",
    "MSG00009", "MSG00021", "GTW00004",
    "SES00600", "PERIOD", "MSG00020", "MSG00023", "GTW00003", "SES00500", "SES00100", "SES00200",
    "MSG00000",
]  # fmt: skip


@pytest.mark.parametrize(("operation", "period"), [("consultCareer", "SES00300"), ("consultContributions", "SES00400")])
def test_statuses_stand_in_the_order_of_the_checks(operation: str, period: str) -> None:
    rows = DESCRIPTOR.statuses.rows[operation].values()
    assert [status.code for status in rows] == [period if code == "PERIOD" else code for code in CHECKS]


def test_values_are_those_of_the_contract() -> None:
    for rows in DESCRIPTOR.statuses.rows.values():
        for status in rows.values():
            expected = {
                "MSG00000": "DATA_FOUND",
                "MSG00009": "NO_DATA_FOUND",
                "SES00100": "NO_DATA_FOUND",
                "SES00200": "NO_DATA_FOUND",
            }
            assert status.value == expected.get(status.code, "NO_RESULT")


def test_documentation_holds_the_table_that_the_code_uses() -> None:
    assert render_status_table(DESCRIPTOR.statuses) in DOCUMENT.read_text("utf-8")


def test_status_table_names_value_code_and_information() -> None:
    table = render_status_table(DESCRIPTOR.statuses).splitlines()
    assert table[0] == "| operation | cause | value | code | information |"
    assert len(table) == 2 + 2 * len(CHECKS)
    assert any(
        row.startswith("| consultCareer |") and row.endswith("| SES00300 | `beginDate`, `endDate` |") for row in table
    )


def test_code_lists_have_no_code_twice_and_describe_each_in_three_languages() -> None:
    for name, rows in codes.read_rows().items():
        assert len({row.code for row in rows}) == len(rows), name
        assert all({"NL", "FR", "DE"} <= row.model_fields_set for row in rows)


def test_codes_seen_in_published_replies_are_marked_so() -> None:
    published = {
        name: [row.code for row in rows if row.origin == "published"] for name, rows in codes.read_rows().items()
    }
    assert published == {
        "selfEmployedQuality": [100],
        "careerContribution": [100, 105, 400, 510],
        "equality": [100],
        "occupation": [],
        "contributionSituation": [],
        "ziv": [],
        "socialInsuranceFund": ["003", "008"],
    }


def test_there_are_eleven_funds() -> None:
    assert len(codes.SOCIAL_INSURANCE_FUND.elements) == 11


def test_a_row_that_says_something_else_is_refused() -> None:
    row = yaml.safe_load(files("services.self_employed").joinpath("codes.yaml").read_text("utf-8"))["ziv"][0]
    with pytest.raises(ValueError, match="remark"):
        codes.CodeRow.model_validate({**row, "remark": "no such field"})


def test_shared_elements_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        codes.ZIV.get_element(1)["code"] = 2  # type: ignore[index]


def test_refusals_tell_the_ssin_as_replaced_cancelled_or_as_it_is() -> None:
    assert make_subject("ssin_replaced", "1", "2") == {"ssin": {"#text": "2", "@canceled": False, "@replaces": "1"}}
    assert make_subject("ssin_cancelled", "1", None) == {"ssin": {"#text": "1", "@canceled": True}}
    assert make_subject("person_deceased", "1", None) == {"ssin": {"#text": "1", "@canceled": False}}
    assert make_subject("not_integrated", "1", "2") == {}
