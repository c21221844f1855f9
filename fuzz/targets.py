"""The targets by name; whoever adds one adds its line."""

from collections.abc import Mapping

from fuzz import annexes, answers, audit_files, declarations, files, messages
from fuzz.target import Target

# Of what is signed, a fifth must get past the verification; of files, enough that what stands behind reading is tried.
TARGETS: Mapping[str, Target] = {
    "messages": Target("messages to every service", 35, 0.2, messages.open_target),
    "declarations": Target("Dimona declarations", 15, 0.2, declarations.open_target),
    "answers": Target("answers of remote sources", 15, 0.2, answers.open_target),
    "annexes": Target("annexes, two compared", 5, 0.1, annexes.open_annexes),
    "cases": Target("golden cases of annexes", 5, 0.1, annexes.open_cases),
    "inscriptions": Target("files of inscriptions", 5, 0.05, files.open_inscriptions),
    "accounts": Target("files of User Management", 5, 0.2, files.open_accounts),
    "criteria": Target("--set of the command line", 5, 0.2, files.open_criteria),
    "settings": Target("gateway.toml", 5, 0.1, files.open_settings),
    "audit": Target("exports, proofs, receipts, checkpoints, keys", 5, 0.05, audit_files.open_target),
}


def share_out(count: int) -> Mapping[str, int]:
    """Return how many inputs of a run each target gets: at least one."""
    return {name: max(1, count * target.of_hundred // 100) for name, target in TARGETS.items()}
