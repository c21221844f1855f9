"""The settings of remote sources: read from gateway.toml, and refused with the reason."""

import re
from contextlib import nullcontext
from pathlib import Path

import pytest

from authz.contract_shape import LEGAL_CONTEXT
from gateway.contracts import load_contracts
from gateway.settings import InvalidSettings, load_settings
from gateway.source_settings import REMOTE_SERVICES

ROOT = Path(__file__).parents[2]
ENDPOINT = 'address = "https://rsz.example/consult"\ncertificate = "pki/rsz.pem"\n'
ASKER = 'cbe_number = "0999900051"\nlegal_context = "GATEWAY:CONSULTATION"\n'


def write(state: Path, text: str) -> None:
    (state / "gateway.toml").write_text(text)


def test_a_source_is_read_with_its_files_under_the_state(tmp_path: Path) -> None:
    funds = f'[sources."SelfEmployedService/v2".funds."003"]\n{ENDPOINT}authority = "pki/tls.pem"\n'
    write(tmp_path, f'[sources."SelfEmployedService/v2"]\n{ASKER}calls = 3\n{funds}')
    source = load_settings(state=tmp_path).sources["SelfEmployedService/v2"]
    assert (source.calls, source.deadline_seconds, source.remote) == (3, 3.0, None)
    assert source.funds["003"].certificate == tmp_path / "pki/rsz.pem"
    assert source.funds["003"].authority == tmp_path / "pki/tls.pem"


def test_the_examples_of_the_page_are_settings(tmp_path: Path) -> None:
    examples = re.findall("```toml\n(.*?)```", (ROOT / "docs" / "sources.md").read_text("utf-8"), re.DOTALL)
    write(tmp_path, "".join(examples))
    sources = load_settings(state=tmp_path).sources
    assert set(sources) == {"DmfaConsultationService/v1", "EmployerMandateConsultationService/v2"}
    assert all(source.remote is not None for source in sources.values())


def test_without_any_every_source_is_in_the_database(tmp_path: Path) -> None:
    assert load_settings(state=tmp_path).sources == {}


@pytest.mark.parametrize(
    ("service", "more", "said"),
    [
        ("HealthCheckService/v1", "remote", "the source of one of DimonaService/v1"),
        ("DimonaService/v1", "", "names neither `remote` nor `funds`"),
        ("EmployerMandateConsultationService/v2", "remote", "its contract has no legal context"),
        ("DimonaService/v1", 'funds."003"', "only SelfEmployedService/v2 has funds"),
        ("SelfEmployedService/v2", 'funds."3"', "String should match pattern"),
    ],
)
def test_what_makes_no_source_is_refused_with_the_reason(tmp_path: Path, service: str, more: str, said: str) -> None:
    endpoint = f'[sources."{service}".{more}]\n{ENDPOINT}' if more else ""
    write(tmp_path, f'[sources."{service}"]\n{ASKER}{endpoint}')
    with pytest.raises(InvalidSettings, match=said):
        load_settings(state=tmp_path)


def test_a_legal_context_is_named_wherever_the_contract_has_one(tmp_path: Path) -> None:
    shapes = load_contracts().shapes()
    for name in REMOTE_SERVICES:
        write(tmp_path, f'[sources."{name}"]\ncbe_number = "0999900051"\n[sources."{name}".remote]\n{ENDPOINT}')
        has_one = any(LEGAL_CONTEXT in shape.request_paths for shape in shapes[name].values())
        with pytest.raises(InvalidSettings, match="names no `legal_context`") if has_one else nullcontext():
            assert load_settings(state=tmp_path).sources[name].legal_context is None


@pytest.mark.parametrize(
    "address",
    [
        "http://rsz.example/consult",
        "http://localhost/consult",
        "ftp://127.0.0.1/consult",
        "https://user@rsz.example/",
        "https://rsz.example/?a=b",
        "rsz.example",
    ],
)
def test_another_machine_is_asked_over_https_alone(tmp_path: Path, address: str) -> None:
    endpoint = ENDPOINT.replace("https://rsz.example/consult", address)
    write(tmp_path, f'[sources."DimonaService/v1"]\n{ASKER}[sources."DimonaService/v1".remote]\n{endpoint}')
    with pytest.raises(InvalidSettings, match="https"):
        load_settings(state=tmp_path)


def test_this_machine_may_be_asked_over_http(tmp_path: Path) -> None:
    for address in ("http://127.0.0.1:8543/consult", "http://[::1]:8543/consult"):
        endpoint = ENDPOINT.replace("https://rsz.example/consult", address)
        write(tmp_path, f'[sources."DimonaService/v1"]\n{ASKER}[sources."DimonaService/v1".remote]\n{endpoint}')
        remote = load_settings(state=tmp_path).sources["DimonaService/v1"].remote
        assert remote is not None
        assert remote.address == address
