"""The page of all settings, as their declarations say."""

from typing import Any

from pydantic import BaseModel

from gateway.settings import PREFIX, SETTINGS_FILE, Settings
from gateway.source_settings import EndpointSettings, SourceSettings


def render_settings() -> str:
    """Return docs/settings.md."""
    rows = [
        f"| `{name}` | `{PREFIX}{name.upper()}` | `{_default(field.get_default(call_default_factory=True))}` |"
        f" {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(
        [
            "# Settings",
            "",
            f"Each setting is an environment variable, or a line of `{SETTINGS_FILE}` in the state directory; the",
            "command line wins over the variable, the variable over the file. Relative paths lie under `state`. A",
            "setting that is unknown or wrong stops the start, with every such setting named.",
            "",
            "| name in the file | variable | default | meaning |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
            *_render_sources(),
        ]
    )


def _render_sources() -> list[str]:
    """Return the keys of a remote source, as the page has them."""
    tables: dict[str, type[BaseModel]] = {
        '[sources."SERVICE"]': SourceSettings,
        '[sources."SERVICE".remote], [sources."SERVICE".funds."CODE"]': EndpointSettings,
    }
    lines = [
        "## Remote sources",
        "",
        "Of each service whose source is not in our database; docs/sources.md has an example.",
    ]
    for table, model in tables.items():
        lines += ["", f"`{table}`", "", "| key | default | meaning |", "| --- | --- | --- |"]
        for name, field in model.model_fields.items():
            if name not in ("remote", "funds"):
                default = "" if field.is_required() else _default(field.default)
                lines.append(f"| `{name}` | `{default}` | {field.description} |")
    return [*lines, ""]


def _default(value: Any) -> str:
    return ", ".join(value) if isinstance(value, tuple | dict) else "" if value is None else str(value)
