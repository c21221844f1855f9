"""The one place that builds adapters and wires them: a gateway from its settings, and the parts that commands need.

The rest of the gateway takes them from here.
"""

from gateway.bootstrap.annexes import (
    find_technical_user,
    list_all_annexes,
    list_annexes,
    list_unsigned_annexes,
    open_annex_store,
    open_approvals,
)
from gateway.bootstrap.audit import check_month_keys, make_audit_keys, open_time_stamp_authority
from gateway.bootstrap.cannot_start import CannotStart
from gateway.bootstrap.keys import open_client_trust
from gateway.bootstrap.management import build_maintenance_watch, build_measurer, opened_log_keeper
from gateway.bootstrap.registers import open_registers, open_user_store
from gateway.bootstrap.remote_sources import REMOTE_REPOSITORIES
from gateway.bootstrap.scratch import opened_scratch_store
from gateway.bootstrap.sources import REPOSITORIES, USER_MANAGEMENT, open_repositories
from gateway.bootstrap.storage import (
    COMMAND_WAIT_SECONDS,
    Storage,
    count_connections,
    migrate,
    open_storage,
    opened_storage,
)
from gateway.bootstrap.worker import Gateway, build_gateway

__all__ = [
    "COMMAND_WAIT_SECONDS",
    "REMOTE_REPOSITORIES",
    "REPOSITORIES",
    "USER_MANAGEMENT",
    "CannotStart",
    "Gateway",
    "Storage",
    "build_gateway",
    "build_maintenance_watch",
    "build_measurer",
    "check_month_keys",
    "count_connections",
    "find_technical_user",
    "list_all_annexes",
    "list_annexes",
    "list_unsigned_annexes",
    "make_audit_keys",
    "migrate",
    "open_annex_store",
    "open_approvals",
    "open_client_trust",
    "open_registers",
    "open_repositories",
    "open_storage",
    "open_time_stamp_authority",
    "open_user_store",
    "opened_log_keeper",
    "opened_scratch_store",
    "opened_storage",
]
