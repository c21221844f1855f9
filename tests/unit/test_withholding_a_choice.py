"""What is withheld of a choice in which something must stand: it is refused, or what is around the choice goes."""

from dataclasses import replace
from pathlib import Path

import pytest
from stage_world import ANNEX

from authz.annex_document import AnnexInvalid, read_annex
from authz.contract_shape import ContractShape
from gateway.contracts import load_contracts
from gateway.xml.model import SchemaModel

REPLY = """\
<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t">
  <x:element name="reply"><x:complexType><x:sequence>
    <x:element name="answer"><x:complexType><x:choice>
      <x:element name="person" type="x:string"/>
      <x:element name="enterprise" type="x:string"/>
    </x:choice></x:complexType></x:element>
    <x:element name="remark" minOccurs="0"><x:complexType><x:choice>
      <x:element name="code" type="x:string"/>
      <x:element name="text" type="x:string"/>
    </x:choice></x:complexType></x:element>
  </x:sequence></x:complexType></x:element>
</x:schema>
"""


@pytest.fixture
def shape(tmp_path: Path) -> ContractShape:
    """The contract of consultCareer, but with this reply."""
    (tmp_path / "reply.xsd").write_text(REPLY)
    response = SchemaModel((tmp_path / "reply.xsd",)).get_element("urn:t", "reply")
    (operation,) = (
        operation
        for service in load_contracts().services.values()
        for operation in service.operations.values()
        if operation.descriptor.name == "consultCareer"
    )
    return replace(operation, response=response, data_elements=("answer", "remark")).shape()


def annex_text(withheld: str) -> str:
    text = ANNEX.replace("StaffService/v1", "SelfEmployedService/v2").replace("consultStaff", "consultCareer")
    begin = text.index("    parameters:")
    return text[:begin] + (
        f"    parameters: {{ criteria/ssin: }}\n    withheld: [{withheld}]\n"
        "    integration: { contexts: [STAFF:FILE], daysBefore: 30 }\n"
    )


@pytest.mark.parametrize("member", ["answer/person", "answer/enterprise"])
def test_a_member_of_a_mandatory_choice_in_a_mandatory_element_cannot_be_withheld(
    member: str, shape: ContractShape
) -> None:
    with pytest.raises(AnnexInvalid, match="is mandatory, and so is everything around it"):
        read_annex(annex_text(member), {"SelfEmployedService/v2": {"consultCareer": shape}})


@pytest.mark.parametrize("member", ["remark/code", "remark/text"])
def test_with_a_member_of_a_mandatory_choice_the_optional_element_around_it_goes(
    member: str, shape: ContractShape
) -> None:
    annex = read_annex(annex_text(member), {"SelfEmployedService/v2": {"consultCareer": shape}})
    ((grant,),) = annex.grants.values()
    assert (grant.withheld, grant.dropped) == ((member,), ("remark",))
