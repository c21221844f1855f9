"""What the gateway publishes over GET: WSDLs, schemas, the catalogue of errors; and nothing else."""

import re

import pytest
from gateway_world import (
    PUBLIC_URL,
    ROOT,
    SELF_EMPLOYED_PATH,
    TEST_CONNECTION_PATH,
    OpenWorld,
    Reply,
    World,
)

from gateway.catalogue import load_catalogue

WSDLS = {SELF_EMPLOYED_PATH: "SelfEmployedServiceV2.wsdl", TEST_CONNECTION_PATH: "TestConnectionServiceV1.wsdl"}
SCHEMAS = sorted(path.name for path in (ROOT / "xsd").glob("*.xsd"))


def get(world: World, path: str, **environ: str) -> Reply:
    return world.post(b"", path, "GET", **environ)


@pytest.mark.parametrize("path", WSDLS)
def test_a_wsdl_is_the_committed_one_but_for_its_addresses(world: World, path: str) -> None:
    reply = get(world, path, QUERY_STRING="wsdl")
    assert (reply.status, reply.headers["Content-Type"]) == ("200 OK", "text/xml; charset=utf-8")
    committed = (ROOT / "wsdl" / WSDLS[path]).read_text("utf-8").splitlines()
    served = reply.content.decode().splitlines()
    assert len(served) == len(committed)
    differing = [(old, new) for old, new in zip(committed, served, strict=True) if old != new]
    assert len(differing) == 2
    for old, new in differing:
        attribute = re.compile(r'(location|schemaLocation)="[^"]*"')
        assert attribute.sub("", old) == attribute.sub("", new)
    text = reply.content.decode()
    assert f'location="{PUBLIC_URL}{path}"' in text
    assert f'schemaLocation="{PUBLIC_URL}/xsd/' in text


def test_a_wsdl_names_the_configured_address_whatever_the_caller_says(world: World) -> None:
    told = get(world, SELF_EMPLOYED_PATH, QUERY_STRING="WSDL", HTTP_HOST="evil.example", SERVER_NAME="evil.example")
    assert b"evil" not in told.content


def test_a_public_address_may_have_a_path_of_its_own(open_own_world: OpenWorld) -> None:
    world = open_own_world(public_url="https://proxy.example/ksz")
    text = get(world, SELF_EMPLOYED_PATH, QUERY_STRING="wsdl").content.decode()
    assert f'location="https://proxy.example/ksz{SELF_EMPLOYED_PATH}"' in text
    assert 'schemaLocation="https://proxy.example/ksz/xsd/SelfEmployedServiceV2.xsd"' in text


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_the_committed_one(world: World, name: str) -> None:
    reply = get(world, f"/xsd/{name}")
    assert reply.content == (ROOT / "xsd" / name).read_bytes()
    assert reply.headers["Content-Length"] == str(len(reply.content))


@pytest.mark.parametrize(
    "path",
    [
        "/xsd/",
        "/xsd/__init__.py",
        "/xsd/../wsdl/SelfEmployedServiceV2.wsdl",
        "/xsd//etc/passwd",
        "/xsd/CommonV3.xsd\0",
        "/wsdl/SelfEmployedServiceV2.wsdl",
        "/SelfEmployedService/v2/consult/",
        "/SelfEmployedService/v3/consult",
        "/errors/<script>",
        "/errors/MSG99999",
        "/var/ksz.db",
        "",
    ],
)
def test_there_is_nothing_at_another_address(world: World, path: str) -> None:
    reply = get(world, path)
    assert reply.status == "404 Not Found"
    assert b"GTW00019" in reply.content


def test_a_message_to_another_address_is_not_looked_at(world: World) -> None:
    before = len(world.records())
    assert world.post(b"<a/>", "/xsd/CommonV3.xsd").status == "404 Not Found"
    assert world.post(b"<a/>", "/errors").status == "404 Not Found"
    assert len(world.records()) == before


def test_head_has_the_headers_of_get_and_no_content(world: World) -> None:
    got = get(world, "/xsd/CommonV3.xsd")
    head = world.post(b"", "/xsd/CommonV3.xsd", "HEAD")
    assert (head.status, head.headers, head.content) == (got.status, got.headers, b"")


def test_the_index_names_the_services(world: World) -> None:
    text = get(world, "/").content.decode()
    assert all(f"{path}?wsdl" in text for path in WSDLS)


@pytest.mark.parametrize("code", [entry.code for entry in load_catalogue()])
def test_the_page_that_an_answer_points_to_explains_its_code(world: World, code: str) -> None:
    reply = get(world, f"/errors/{code}")
    assert reply.status == "200 OK"
    assert code in reply.content.decode()


@pytest.mark.parametrize(
    ("accepted", "language"), [("", "en"), ("nl-BE,fr;q=0.5", "nl"), ("de, FR", "fr"), ("xx", "en")]
)
def test_the_catalogue_is_served_in_the_language_asked(world: World, accepted: str, language: str) -> None:
    reply = get(world, "/errors", HTTP_ACCEPT_LANGUAGE=accepted)
    assert reply.headers["Content-Language"] == language
    assert f'lang="{language}"' in reply.content.decode()


def test_a_fault_points_to_the_page_of_its_code(world: World) -> None:
    reply = world.post(b"")
    assert f"{PUBLIC_URL}/errors/GTW00013" in reply.faultstring
