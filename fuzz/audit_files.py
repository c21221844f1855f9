"""Target: the audit's files as an auditor gets them: exports with their roots, proofs, receipts, checkpoints, keys."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fuzz.target import Tried, Try, randomness, try_reading
from fuzz.texts import change_file, words_of
from gateway.annexes.operators import load_private_key, private_pem
from gateway.audit.checkpoint import CheckpointBroken, make_vkey
from gateway.audit.checkpoint import open as open_checkpoint
from gateway.audit.entry import entry_octets
from gateway.audit.export import ExportedLog, ExportUnreadable
from gateway.audit.kept_root import RootUnreadable, read_kept_root
from gateway.audit.log_key import LogKey, read_public_file
from gateway.audit.octets import to_base64
from gateway.audit.proof import Proof
from gateway.audit.tree import Frontier, inclusion_path, leaf_hash
from gateway.audit.verification import Breach, verify
from gateway.receipt import RECEIPT

_NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
_ORIGIN = "ksz-gateway/audit"
_SIZE = 7


@contextmanager
def open_target() -> Iterator[Try]:
    """Make a small log and its files, and read them changed, one at a time."""
    key = LogKey(_ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    texts = _make_files(key)
    words = words_of(list(texts.values()))
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        for name, text in texts.items():
            (folder / name).write_text(text, "utf-8")
        readers = _make_readers(folder, key)

        def attempt(seed: int, number: int) -> Tried:
            random = randomness("audit", seed, number)
            name = random.choice(list(texts))
            content = change_file(random, texts[name], words)
            (folder / name).write_bytes(content)
            read, refusals = readers[name]
            try:
                return try_reading(content, read, refusals)
            finally:
                (folder / name).write_text(texts[name], "utf-8")

        yield attempt


def _make_files(key: LogKey) -> Mapping[str, str]:
    rows = [
        {"position": at, "kind": "exchange", "client": "pcsa", "received_at": _NOW, "sealed": b"x"}
        for at in range(_SIZE)
    ]
    entries = [entry_octets(row, ()) for row in rows]
    leaves = [leaf_hash(entry) for entry in entries]
    checkpoint = key.sign(_SIZE, Frontier.of(leaves).root, _NOW)
    proof = Proof(entries[3], 3, tuple(inclusion_path(leaves, 3)), checkpoint)
    start = to_base64(Frontier().octets)
    escaped = checkpoint.replace("\n", "\\n")
    return {
        "log": "".join(entry.decode() + "\n" for entry in entries),
        "log.roots": f'{{"first":0,"frontier":"{start}","roots":[{{"checkpoint":"{escaped}","timeStamp":null}}]}}\n',
        "proof": proof.text,
        "receipt": _write_receipt(leaves[3], checkpoint),
        "checkpoint": checkpoint,
        "log.pub": make_vkey(_ORIGIN, key.public) + "\n",
        "operator.key": private_pem(Ed25519PrivateKey.from_private_bytes(bytes(range(32))), None).decode(),
    }


def _make_readers(folder: Path, key: LogKey) -> Mapping[str, tuple[Callable[[], object], tuple[type[Exception], ...]]]:
    def verify_with(name: str) -> Callable[[], str]:
        def read() -> str:
            verify(ExportedLog(folder / "log"), _ORIGIN, key.public, [read_kept_root(folder / name)])
            return name

        return read

    def open_kept() -> str:
        open_checkpoint(read_kept_root(folder / "checkpoint").text, key.public)
        return "checkpoint"

    def load_operator() -> str:
        load_private_key((folder / "operator.key").read_bytes(), None)
        return "operator.key"

    def read_public() -> str:
        read_public_file(folder / "log.pub")
        return "log.pub"

    export = (verify_with("checkpoint"), (ExportUnreadable, Breach, RootUnreadable))
    return {
        "log": export,
        "log.roots": export,
        "proof": (verify_with("proof"), (RootUnreadable, Breach)),
        "receipt": (verify_with("receipt"), (RootUnreadable, Breach)),
        "checkpoint": (open_kept, (RootUnreadable, CheckpointBroken)),
        "log.pub": (read_public, (ValueError,)),
        "operator.key": (load_operator, (ValueError, TypeError)),
    }


def _write_receipt(leaf: bytes, checkpoint: str) -> str:
    return (
        f'<r:Receipt xmlns:r="{RECEIPT}">\n<position>3</position>\n<leafHash>{to_base64(leaf)}</leafHash>\n'
        f"<checkpoint>{checkpoint}</checkpoint>\n</r:Receipt>\n"
    )
