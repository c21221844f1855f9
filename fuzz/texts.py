"""Changes of a file that is text in lines: lines, words in them, characters, bytes."""

from collections.abc import Sequence
from random import Random
from re import compile as pattern

from fuzz.changes import VALUES, edit_bytes

_WORD = pattern(r"[\w.:/-]+")
_CHARACTERS = (
    "\0",
    "\t",
    '"',
    "'",
    "{",
    "}",
    "[",
    "]",
    ":",
    "#",
    "&a ",
    "*a",
    "!x ",
    "\ufeff",
    "\u2028",
    "\ud800",
    "é",
    "\r",
)
# The edges of numbers and days, beside those of texts: a file is read by other readers than a message.
_WORDS = (
    *(
        "1e400",
        "-0",
        "0x1F",
        "0o17",
        "1_000",
        ".inf",
        "~",
        "null",
        "yes",
        "9" * 5000,
        "1" * 400,
        "0" * 20 + "1",
        "--",
        "%",
    ),
    *("2024-02-30", "0000-00-00", "10000-01-01", "2024-01-01T00:00:00Z", "2024-W01-1", "20240101", "1/0", "999/999"),
)


def change_text(random: Random, text: str, vocabulary: Sequence[str]) -> str:
    """Change one thing in the text; mostly a word, for one that stands elsewhere in such files."""
    lines = text.split("\n")
    at = random.randrange(len(lines))
    kind = random.random()
    if kind < 0.6:
        lines[at] = _change_word(random, lines[at], vocabulary)
    elif kind < 0.7:
        del lines[at]
    elif kind < 0.8:
        lines[at:at] = lines[at : at + random.choice((1, 1, 5, 40))]
    elif kind < 0.87:
        lines[at] = random.choice(("  ", " ", "\t", "- ", "")) + lines[at].lstrip()
    elif kind < 0.92:
        lines.insert(at, lines.pop(random.randrange(len(lines))))
    else:
        place = random.randrange(len(lines[at]) + 1)
        lines[at] = lines[at][:place] + random.choice(_CHARACTERS) + lines[at][place:]
    return "\n".join(lines)


def change_file(random: Random, text: str, vocabulary: Sequence[str]) -> bytes:
    """Change a file as people and disks do: some of its text, seldom its bytes; now and then nothing."""
    for _ in range(random.choices((0, 1, 2, 5), (10, 50, 25, 15))[0]):
        text = change_text(random, text, vocabulary)
    content = text.encode("utf-8", "surrogatepass")
    return edit_bytes(random, content) if random.random() < 0.1 else content


def words_of(texts: Sequence[str]) -> list[str]:
    """Return the words of the texts, each once."""
    return sorted({word for text in texts for word in _WORD.findall(text)})


def _change_word(random: Random, line: str, vocabulary: Sequence[str]) -> str:
    words = list(_WORD.finditer(line))
    if not words:
        return line
    word = random.choice(words)
    other = random.choice((random.choice(vocabulary), random.choice(vocabulary), random.choice((*VALUES, *_WORDS))))
    return line[: word.start()] + other + line[word.end() :]
