"""The status table of a service: for each operation and each case, what the client is told.

The table is data (`statuses.yaml` beside the service), because KSZ services differ: the same case has another value
or code in another service. Its rows stand in the order in which the checks are made.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from services.package_data import read_yaml


@dataclass(frozen=True, slots=True)
class Status:
    """One row: the `value` and `code` of the reply's status, and the `fieldName`s of its information."""

    case: str
    value: str
    code: str
    information: tuple[str, ...]
    cause: str


@dataclass(frozen=True, slots=True)
class StatusTable:
    """All rows of a service, by operation, then by case, in the order of the checks."""

    rows: Mapping[str, Mapping[str, Status]]

    def get_status(self, operation: str, case: str) -> Status:
        """Return the row; KeyError when the operation has no such case, which is a mistake of ours."""
        return self.rows[operation][case]


def load_statuses(package: str) -> StatusTable:
    """Read `statuses.yaml` of a service's package.

    The file has `cases` (a list of rows: case, value, code, information, cause) and each row may say in `operations`
    to which operations it is limited; `operations` at the top names them all.
    """
    document = read_yaml(package, "statuses.yaml")
    return StatusTable(
        {
            operation: {
                row["case"]: Status(
                    case=row["case"],
                    value=row["value"],
                    code=row["code"],
                    information=tuple(row.get("information", ())),
                    cause=row["cause"],
                )
                for row in document["cases"]
                if operation in row.get("operations", document["operations"])
            }
            for operation in document["operations"]
        }
    )


def render_status_table(table: StatusTable) -> str:
    """Return the whole table for the documentation, as Markdown: by operation, in the order of the checks."""
    lines = ["| operation | cause | value | code | information |", "|---|---|---|---|---|"]
    for operation, cases in table.rows.items():
        for status in cases.values():
            information = ", ".join(f"`{name}`" for name in status.information)
            lines.append(f"| {operation} | {status.cause} | {status.value} | {status.code} | {information or '-'} |")
    return "\n".join(lines) + "\n"
