"""Pages of a source whose tokens mean nothing to us."""

from gateway.sources.remote_pages import Pages, RemotePage


class Source:
    """Tells the numbers from 1 to 10, four at a time."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []

    def ask(self, token: str | None) -> RemotePage[int]:
        self.asked.append(token)
        begin = int(token or 0)
        end = min(begin + 4, 10)
        return RemotePage(tuple(range(begin + 1, end + 1)), str(end) if end < 10 else None)


def read(
    pages: Pages, source: Source, after: int | None, limit: int, question: str = "q"
) -> tuple[tuple[int, ...], bool]:
    return pages.read(question, after, limit, source.ask, lambda item: item)


def test_everything_is_told_once_whatever_the_size_of_a_page() -> None:
    for limit in range(1, 12):
        pages, source, told, after, more = Pages(), Source(), [], None, True
        while more:
            items, more = read(pages, source, after, limit)
            told += items
            after = items[-1] if items else after
        assert told == list(range(1, 11)), limit


def test_a_page_that_follows_costs_one_call_where_the_pages_are_of_one_size() -> None:
    pages, source = Pages(), Source()
    read(pages, source, None, 4)
    assert read(pages, source, 4, 4) == ((5, 6, 7, 8), True)
    assert source.asked == [None, "4"]
    assert read(pages, source, 4, 4, "another question") == ((5, 6, 7, 8), True)
    assert source.asked == [None, "4", None, "4"]


def test_another_worker_reads_the_pages_before_it_again() -> None:
    source = Source()
    assert read(Pages(), source, 8, 4) == ((9, 10), False)
    assert source.asked == [None, "4", "8"]


def test_the_oldest_tokens_are_forgotten() -> None:
    pages, source = Pages(most=1), Source()
    read(pages, source, None, 4, "first")
    read(pages, source, None, 4, "second")
    source.asked.clear()
    read(pages, source, 4, 4, "first")
    assert source.asked == [None, "4"]
