"""Pieces of work on a thread each."""

import threading

import pytest
import torch

from workbench.models.lanes import Interrupted, side_by_side


@pytest.fixture(autouse=True)
def _four_threads():
    usual = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(usual)


def test_pieces_meet_side_by_side_and_come_in_order():
    meeting = threading.Barrier(2)

    def work(piece, check):
        meeting.wait(30)  # nobody would come if the other piece waited for this one
        return piece, torch.get_num_threads()

    assert list(side_by_side(work, [0, 1, 2, 3], lanes=2)) == [(i, 2) for i in range(4)]
    assert torch.get_num_threads() == 4


def test_one_lane_is_the_callers_own_thread():
    def work(piece, check):
        return threading.current_thread()

    assert set(side_by_side(work, [0, 1], lanes=1)) == {threading.main_thread()}
    assert not list(side_by_side(work, [], lanes=3))


def test_a_caller_who_goes_away_ends_what_is_under_way_and_begins_no_more():
    began, ends = [], []

    def work(piece, check):
        began.append(piece)
        try:
            while piece:  # the first one ends at once, and others go on until they are told
                check()
        except Interrupted:
            ends.append(piece)
            raise

    results = side_by_side(work, range(9), lanes=2)
    next(results)
    results.close()
    assert sorted(ends) == sorted(began)[1:]
    assert len(began) <= 3
    assert torch.get_num_threads() == 4


def test_what_breaks_in_a_lane_reaches_the_caller_and_ends_the_others():
    def work(piece, check):
        if piece == 1:
            raise ValueError("no such piece")
        while True:
            check()

    with pytest.raises(ValueError, match="no such piece"):
        list(side_by_side(lambda piece, check: work(1 - piece, check), [0, 1, 2], lanes=2))
    assert torch.get_num_threads() == 4
