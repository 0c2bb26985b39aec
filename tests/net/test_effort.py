"""A loop is at work when it has no time to spare, not when its disk is slow."""

from visitor_tracker.net.effort import Effort


class Machine:
    """A clock, and what a thread had of a core and waited for something to do."""

    def __init__(self) -> None:
        self.now = 100.0
        self.core = 7.0
        self.waited = 3.0
        self.effort = Effort(lambda: self.now, lambda: self.core)
        self.effort.milliseconds(self.waited)

    def passes(self, seconds: float, *, core: float, waited: float = 0.0) -> int:
        """Let time pass and return how long the loop was at work, ever."""
        self.now += seconds
        self.core += core
        self.waited += waited
        return self.effort.milliseconds(self.waited)


def test_work_is_what_is_not_waiting() -> None:
    machine = Machine()
    assert machine.passes(1.0, core=0.5, waited=0.5) == 500
    assert machine.passes(1.0, core=0.0, waited=1.0) == 500
    assert machine.passes(1.0, core=1.0) == 1_500


def test_others_on_the_same_core_make_it_no_less() -> None:
    assert Machine().passes(1.0, core=0.25) == 1_000


def test_waiting_for_a_disk_is_no_work() -> None:
    assert Machine().passes(1.0, core=0.0625) == 250


def test_before_the_first_look_there_was_none() -> None:
    assert Effort(lambda: 100.0, lambda: 50.0).milliseconds(1.0) == 0
