"""Verify that a record is in the gateway's audit log: python verify_proof.py PROOF KEY

PROOF is a file that `ksz-gateway audit prove` made, KEY the log's public key, one line such as
ksz-gateway/audit+1a2b3c4d+AR1… . Needs Python 3.9 and the package `cryptography`; nothing of the gateway.

A proof (C2SP tlog-proof) holds the entry, its index, a Merkle path (RFC 6962) and a root signed with Ed25519 (C2SP
signed-note). Printed is the entry, if the path leads from it to that root and the signature is the key's.
"""

import base64
import hashlib
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def read(path):
    with open(path, encoding="utf-8", errors="replace", newline="") as file:
        return file.read()


def decode(text):
    return base64.b64decode(text, validate=True)


def sha256(octets):
    return hashlib.sha256(octets).digest()


def verified_entry(proof, vkey):
    """Return (entry, index, checkpoint's lines); ValueError says what is wrong."""
    head, _, note = proof.partition("\n\n")
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    try:
        header, extra, index_line, *path_lines = head.split("\n")
        if header != "c2sp.org/tlog-proof@v1" or extra[:6] != "extra " or index_line[:6] != "index ":
            raise ValueError
        entry, index, path = decode(extra[6:]), int(index_line[6:]), [decode(line) for line in path_lines]
        origin, size, root = text.split("\n")[:3]
        size, root = int(size), decode(root)
    except ValueError:
        raise ValueError("the first file is no proof, or not all of one") from None
    check_signature(text, origin, signatures, vkey)
    if root_from(entry, index, size, path) != root:
        raise ValueError("the path does not lead from this entry to the signed root")
    return entry, index, text


def check_signature(text, origin, signatures, vkey):
    """Check the signed-note line of the log's own key: its name, key id and signature."""
    try:
        name, key_id, encoded = vkey.strip().split("+", 2)
        key = decode(encoded)
    except ValueError:
        raise ValueError("the key is no line such as ksz-gateway/audit+1a2b3c4d+AR1…") from None
    if origin != name or key[:1] != b"\x01" or sha256(name.encode() + b"\n" + key)[:4].hex() != key_id:
        raise ValueError("the checkpoint is not of the log that this key is of")
    for line in signatures.splitlines():
        dash, signer, blob = [*line.split(" "), "", ""][:3]
        if (dash, signer) == ("\u2014", name) and decode(blob)[:4].hex() == key_id:
            try:
                return Ed25519PublicKey.from_public_bytes(key[1:]).verify(decode(blob)[4:], text.encode())
            except InvalidSignature:
                break
    raise ValueError("the log's key did not sign this checkpoint")


def root_from(entry, index, size, path):
    """Return the root that the path leads to (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        raise ValueError("the index lies outside the tree")
    node, last = sha256(b"\x00" + entry), size - 1
    for sibling in path:
        if last == 0:
            raise ValueError("the path is too long")
        if index & 1 or index == last:
            node = sha256(b"\x01" + sibling + node)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            node = sha256(b"\x01" + node + sibling)
        index, last = index >> 1, last >> 1
    if last:
        raise ValueError("the path is too short")
    return node


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Usage: python verify_proof.py PROOF KEY")
    try:
        entry, index, text = verified_entry(read(sys.argv[1]), read(sys.argv[2]))
    except (ValueError, OSError) as wrong:
        sys.exit(f"NOT PROVED: {wrong}")
    print(f"Proved: this is record {index} of the log, under the checkpoint\n\n{text}\n{entry.decode()}")
