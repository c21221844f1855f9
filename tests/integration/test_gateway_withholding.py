"""What an annex withholds is not in the reply, is named in dataFilters, and shows nowhere else."""

from datetime import date

from gateway_world import OpenWorld, Reply, World, assert_valid

from fixtures.personas import load_personas
from services.self_employed.career import Affiliation, Career, Segment

SSIN = "75631290176"
WITHHELD = ["career/occupation", "career/affiliations/affiliation/signatureDate"]


def ask(world: World, ssin: str, client: str = "economy") -> Reply:
    return world.ask(ssin, client, period={"beginDate": f"{world.clock().year - 4}-02-01"})


def filtered(reply: Reply) -> list[str]:
    return [str(each.text) for each in reply.payload.iterfind("dataFilters/filteredElement")]


def test_the_withheld_elements_are_left_out_and_named(world: World) -> None:
    whole, cut = ask(world, SSIN, "pcsa"), ask(world, SSIN)
    assert whole.payload.findtext("career/occupation/code") == "401000"
    assert whole.payload.findtext("career/affiliations/affiliation/signatureDate") == "2005-03-20"
    assert filtered(whole) == []
    assert cut.outcome == ("DATA_FOUND", "MSG00000")
    assert cut.payload.find("career/occupation") is None
    assert list(cut.payload.iter("signatureDate")) == []
    assert filtered(cut) == WITHHELD
    assert_valid(cut.payload)


def test_nothing_but_the_withheld_elements_is_left_out(world: World) -> None:
    whole, cut = ask(world, SSIN, "pcsa").payload, ask(world, SSIN).payload
    names = [element.tag for element in whole.find("career").iter() if element.tag != "signatureDate"]
    occupation = [element.tag for element in whole.find("career/occupation").iter()]
    for name in occupation:
        names.remove(name)
    assert [element.tag for element in cut.find("career").iter()] == names


def test_every_affiliation_loses_its_signature_date(open_own_world: OpenWorld) -> None:
    class ManyAffiliations:
        def find_career(self, ssin: str, *period: object) -> Career:
            segment = Segment(date(2010, 1, 1), None, 100, 100)
            dated = tuple(Affiliation("003", date(2000, 1, day), (segment,)) for day in range(1, 29))
            return Career(ssin, "DEMO", None, "401000", dated)

    reply = ask(open_own_world(repository=ManyAffiliations()), SSIN)
    assert len(list(reply.payload.iter("affiliation"))) == 28
    assert list(reply.payload.iter("signatureDate")) == []
    assert "2000-01-" not in reply.content.decode()
    assert filtered(reply) == WITHHELD


def test_the_filters_do_not_tell_what_the_source_holds(open_own_world: OpenWorld) -> None:
    """A list that named only what was there would say of each person whether there is an occupation."""

    class NothingToWithhold:
        def find_career(self, ssin: str, *period: object) -> Career:
            return Career(ssin, "DEMO", None, None, (Affiliation("003", None, (Segment(date.min, None, 100, 100),)),))

    assert filtered(ask(open_own_world(repository=NothingToWithhold()), SSIN)) == WITHHELD


def test_a_reply_without_data_has_no_filters(world: World) -> None:
    for persona in load_personas(world.clock().date()):
        if persona.name in {"no-data", "replaced", "cancelled", "deceased", "not-in-the-file", "malformed"}:
            reply = ask(world, persona.ssin)
            assert reply.outcome[0] != "DATA_FOUND", persona.name
            assert reply.payload.find("dataFilters") is None
            assert_valid(reply.payload)


def test_information_fields_tell_nothing_that_is_withheld(world: World) -> None:
    for persona in load_personas(world.clock().date()):
        reply = ask(world, persona.ssin)
        career = persona.person.career if persona.person else None
        told = " ".join(value for _, value in reply.information)
        for secret in (career.occupation, *(each.signature_date for each in career.affiliations)) if career else ():
            assert secret is None or str(secret) not in told
