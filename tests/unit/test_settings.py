"""Settings come from the command line, the environment and a file, in that order; mistakes are told together."""

from pathlib import Path

import pytest

from authz.ssin import Environment
from gateway.settings import PREFIX, SETTINGS_FILE, InvalidSettings, Settings, load_settings
from gateway.settings_reference import render_settings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)


def write(directory: Path, text: str) -> Path:
    (directory / SETTINGS_FILE).write_text(text)
    return directory


def test_by_default_everything_lies_under_the_state_directory(tmp_path: Path) -> None:
    settings = load_settings(state=tmp_path)
    assert settings.database_url == f"sqlite:///{tmp_path}/ksz.db"
    assert settings.signing_key == tmp_path / "pki/gateway.key"
    assert settings.audit_keys == tmp_path / "keys/audit"
    assert settings.environment is Environment.TEST
    assert settings.tls


def test_the_state_directory_is_absolute_wherever_the_process_goes_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings().state == tmp_path / "var"
    assert load_settings(state="there").client_ca == tmp_path / "there/pki/ca.pem"


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, 'workers = 3\nthreads = 3\nclock_skew = 3\nenvironment = "acceptance"\n')
    monkeypatch.setenv("KSZ_WORKERS", "5")
    monkeypatch.setenv("KSZ_THREADS", "5")
    settings = load_settings(state=tmp_path, workers=7)
    assert (settings.workers, settings.threads, settings.clock_skew) == (7, 5, 3)
    assert settings.environment is Environment.ACCEPTANCE


def test_what_the_command_line_leaves_open_is_not_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KSZ_WORKERS", "5")
    assert load_settings(state=tmp_path, workers=None).workers == 5


def test_the_environment_may_name_the_state_directory_and_so_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "workers = 9\n")
    monkeypatch.setenv("KSZ_STATE", str(tmp_path))
    settings = load_settings()
    assert (settings.state, settings.workers) == (tmp_path, 9)


def test_absolute_paths_stay_where_they_are(tmp_path: Path) -> None:
    assert load_settings(state=tmp_path, client_ca="/etc/ca.pem").client_ca == Path("/etc/ca.pem")


def test_a_gateway_may_do_without_a_revocation_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KSZ_CLIENT_CRL", "")
    assert load_settings(state=tmp_path).client_crl is None


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_is_reached_by_its_driver_however_it_is_called(tmp_path: Path, scheme: str) -> None:
    settings = load_settings(state=tmp_path, database_url=f"{scheme}://ksz@db/ksz?sslmode=verify-full")
    assert settings.database_url == "postgresql+psycopg://ksz@db/ksz?sslmode=verify-full"


@pytest.mark.parametrize("url", ["mysql://ksz:secret@db/ksz", "ksz:secret@db", "postgresql://ksz:secret@db:port/ksz"])
def test_a_wrong_database_url_is_refused_without_telling_its_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(InvalidSettings, match=r"^database_url: ") as caught:
        load_settings(state=tmp_path, database_url=url)
    assert "secret" not in str(caught.value)


def test_all_mistakes_are_told_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 'workers = 0\nbind = "nowhere"\nworker = 1\n')
    monkeypatch.setenv("KSZ_LOG_LEVEL", "loud")
    with pytest.raises(InvalidSettings) as refusal:
        load_settings(state=tmp_path)
    told = {line.partition(":")[0] for line in str(refusal.value).splitlines()}
    assert told == {"workers", "bind", "worker", "log_level"}


def test_an_unknown_variable_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KSZ_MAX_MESAGE_BYTES", "1")
    with pytest.raises(InvalidSettings, match="KSZ_MAX_MESAGE_BYTES"):
        load_settings(state=tmp_path)


def test_a_file_that_is_no_toml_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=SETTINGS_FILE):
        load_settings(state=write(tmp_path, "workers = \n"))


def test_a_number_that_python_does_not_read_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=rf"{SETTINGS_FILE}: .*4300 digits.*has 5000 digits$"):
        load_settings(state=write(tmp_path, f"workers = {'1' * 5000}\n"))


def test_a_file_that_is_not_utf_8_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_bytes(b'public_url = "\xff"\n')
    with pytest.raises(InvalidSettings, match=SETTINGS_FILE):
        load_settings(state=tmp_path)


def test_a_home_of_nobody_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="session_file: names the home of an account that is not there"):
        load_settings(state=tmp_path, session_file="~nobody-of-this-name/session")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("public_url", "gateway.example"),
        ("public_url", "https://gateway.example/"),
        ("public_url", "https://gateway.example/?a"),
        ("bind", "127.0.0.1"),
        ("bind", ":8443"),
        ("bind", "127.0.0.1:65536"),
        ("management_bind", "::1:8081"),
        ("workers", 0),
        ("threads", 257),
        ("max_message_bytes", 10),
        ("message_max_age", 3601),
        ("clock_skew", -1),
        ("proxy_certificate_header", "X Client"),
        ("log_format", "xml"),
        ("environment", "play"),
        ("nonsense", 1),
    ],
)
def test_a_wrong_value_is_refused_by_name(tmp_path: Path, name: str, value: object) -> None:
    with pytest.raises(InvalidSettings, match=name):
        load_settings(state=tmp_path, **{name: value})


@pytest.mark.parametrize("value", ["0.0.0.0:1", "localhost:8443", "[::1]:8443"])
def test_addresses_of_both_families_are_accepted(tmp_path: Path, value: str) -> None:
    assert load_settings(state=tmp_path, bind=value).bind == value


def test_settings_cannot_be_changed_afterwards(tmp_path: Path) -> None:
    settings = load_settings(state=tmp_path)
    with pytest.raises(ValueError, match="frozen"):
        settings.workers = 3


def test_the_documentation_has_a_line_for_every_setting() -> None:
    text = render_settings()
    for name, field in Settings.model_fields.items():
        assert f"| `{name}` | `{PREFIX}{name.upper()}` |" in text
        assert field.description
