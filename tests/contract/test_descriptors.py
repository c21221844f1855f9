"""What the descriptors say of the messages is so: the stages find persons, periods and employers by these paths."""

import pytest

from gateway.contracts import OperationContract, load_contracts
from gateway.xml.model import Element
from services.paging import NEXT

OPERATIONS = {
    f"{service.descriptor.name} {operation.descriptor.name}": operation
    for service in load_contracts().services.values()
    for operation in service.operations.values()
}


def elements_to(path: str, message: Element) -> list[Element]:
    """Return the elements on the way to a path of the message, the last one included."""
    known = dict(message.paths())
    steps = path.split("/")
    return [known["/".join(steps[:length])] for length in range(1, len(steps) + 1)]


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_the_paths_of_the_request_stand_in_it_and_only_the_subject_is_repeated(operation: OperationContract) -> None:
    descriptor = operation.descriptor
    for path in (descriptor.subject, descriptor.period, descriptor.employer):
        *around, last = elements_to(path, operation.request) if path else [operation.request]
        assert not any(element.many for element in around)
        assert not last.many or path == descriptor.subject


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_the_listed_persons_stand_in_the_reply_which_can_do_without_them(operation: OperationContract) -> None:
    persons = operation.descriptor.persons
    if persons is None:
        return
    way = elements_to(persons.items, operation.response)
    first, items = way[0], way[-1]
    assert [element.many for element in way] == [False] * (len(way) - 1) + [True]
    assert first.optional
    assert first.name in operation.data_elements
    assert not any(element.many for element in elements_to(persons.ssin, items))
    assert operation.service.statuses.get_status(operation.descriptor.name, persons.none_left).value != "DATA_FOUND"
    assert NEXT not in persons.items
