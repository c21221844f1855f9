"""Each worker has a processor of its own, as far as there are enough."""

import os
import subprocess
import sys

from gateway.processors import choose_processor, find_processors


def test_a_worker_gets_a_processor_that_no_other_has() -> None:
    assert choose_processor((4, 5, 6), ()) == 4
    assert choose_processor((4, 5, 6), (4, 6)) == 5


def test_where_all_are_taken_the_one_with_the_fewest_workers_is_shared() -> None:
    assert choose_processor((4, 5), (4, 5, 4)) == 5


def test_all_processors_that_the_process_may_use_are_found_once() -> None:
    assert sorted(find_processors()) == sorted(os.sched_getaffinity(0))


def test_a_process_that_is_kept_to_one_finds_no_other() -> None:
    told = (
        "from gateway.processors import find_processors, keep_to; keep_to(find_processors()[0]); "
        "print(len(find_processors()))"
    )
    assert subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout == "1\n"
