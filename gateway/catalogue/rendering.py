"""Turns the error catalogue into the page of the documentation and into those that the gateway serves.

Knows nothing of HTTP: the caller chooses the language and says what an unknown code gets.
"""

from html import escape
from string import Template
from urllib.parse import quote

from gateway.catalogue.entries import Catalogue, Entry

_LANGUAGE_NAMES = {"en": "English", "nl": "Nederlands", "fr": "Français"}
_LABELS = {
    "en": {"title": "Error codes", "cause": "Likely cause", "remedy": "What to do", "all": "All codes"},
    "nl": {
        "title": "Foutcodes",
        "cause": "Vermoedelijke oorzaak",
        "remedy": "Wat te doen",
        "all": "Alle codes",
    },
    "fr": {
        "title": "Codes d'erreur",
        "cause": "Cause probable",
        "remedy": "Que faire",
        "all": "Tous les codes",
    },
}
_KINDS = {
    "en": {"status": "code of a reply's status", "fault": "code of a SOAP fault"},
    "nl": {"status": "code van de status van een antwoord", "fault": "code van een SOAP-fout"},
    "fr": {"status": "code du statut d'une réponse", "fault": "code d'une erreur SOAP"},
}
_PAGE = Template("""<!DOCTYPE html>
<html lang="$language">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
body{font:1rem/1.5 sans-serif;max-width:45rem;margin:2rem auto;padding:0 1rem}
dt{font-weight:bold}
</style>
</head>
<body>
<main>
<h1>$title</h1>
$content
</main>
</body>
</html>
""")


def render_markdown(catalogue: Catalogue) -> str:
    """Return docs/errors.md: a table of contents in English, then each code in every language."""
    head = [
        "# Error codes",
        "",
        "Every code that the gateway can give. A gateway serves these texts at `/errors` and `/errors/CODE`.",
        "This page is written by `make docs`, from `gateway/catalogue/catalogue.yaml`.",
        "",
        "| code | given as | meaning |",
        "|---|---|---|",
        *(f"| [{entry.code}](#{_anchor(entry)}) | {entry.kind} | {entry.texts['en'].meaning} |" for entry in catalogue),
    ]
    return "\n".join([*head, *(line for entry in catalogue for line in _markdown_entry(entry)), ""])


def render_html(catalogue: Catalogue, language: str, code: str | None) -> str:
    """Return the page of one code, or of all if `code` is None; KeyError for an unknown code or language."""
    labels = _LABELS[language]
    if code is None:
        content = "<ul>\n" + "".join(_html_line(entry, language) for entry in catalogue) + "</ul>"
        return _PAGE.substitute(language=language, title=escape(labels["title"]), content=content)
    entry = catalogue.get(code)
    texts = entry.texts[language]
    content = (
        f"<p>{escape(texts.meaning)} ({escape(_KINDS[language][entry.kind])})</p>\n"
        f"<dl>\n<dt>{escape(labels['cause'])}</dt><dd>{escape(texts.cause)}</dd>\n"
        f"<dt>{escape(labels['remedy'])}</dt><dd>{escape(texts.remedy)}</dd>\n</dl>\n"
        f'<p><a href="/errors">{escape(labels["all"])}</a></p>'
    )
    return _PAGE.substitute(language=language, title=escape(entry.code), content=content)


def _anchor(entry: Entry) -> str:
    """The anchor that Markdown renderers give the heading of an entry."""
    return entry.code.lower().replace(":", "")


def _markdown_entry(entry: Entry) -> list[str]:
    lines = ["", f"## {entry.code}"]
    for language, texts in entry.texts.items():
        labels = _LABELS[language]
        lines += [
            "",
            f"**{_LANGUAGE_NAMES[language]}.** {texts.meaning}",
            "",
            f"- *{labels['cause']}:* {texts.cause}",
            f"- *{labels['remedy']}:* {texts.remedy}",
        ]
    return lines


def _html_line(entry: Entry, language: str) -> str:
    address = f"/errors/{quote(entry.code, safe=':')}"
    return f'<li><a href="{escape(address)}">{escape(entry.code)}</a>: {escape(entry.texts[language].meaning)}</li>\n'
