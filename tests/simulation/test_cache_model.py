"""Whatever happens in whatever order, no answer is older than it may be, shows what is hidden, or is of others.

A machine takes random steps in a small simulation of workers, accounts and companies (`simulation`); a model of few
rules judges each answer (`staleness_oracle`). Time is virtual: the clock moves when all tasks wait.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import inf
from typing import Any, TypeAlias

import orjson
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gateway.cache.freshness import NO_DIRECTIVES
from gateway.model import Caching, Ceilings, Status
from tests.fakes.vendor import GET, LIST
from tests.simulation.simulation import SCOPES, SimulatedRequest, Simulation
from tests.simulation.staleness_oracle import check, check_unlinked
from tests.simulation.workers import DEADLINE

WORKERS = 2
Question: TypeAlias = tuple[str, dict[str, str]]
QUESTIONS: tuple[Question, ...] = (
    ("", {}),
    ("", {}),
    ("", {}),
    ("", {"expand": "work_location"}),
    *(("", {"expand": "work_location", "fields": "remote_id,name,work_location"}),) * 2,
    ("", {"fields": "remote_id,name"}),
    ("", {"fields": "remote_id,name,job_title"}),
    ("", {"include": "avatar_url"}),
    ("", {"filter[email]": "p1@{company}.test"}),
    ("", {"updated_after": "{now}"}),
    ("p1", {}),
    ("p2", {}),
    ("p3", {"expand": "work_location"}),
)
HEADERS = (
    "",
    "no-cache",
    "no-store",
    "max-age=5",
    "max-age=0",
    "max-age=70",
    "min-fresh=15",
    "min-fresh=50",
    "max-stale",
    "max-stale=30",
    "only-if-cached",
    "only-if-cached, max-stale=1000",
)
CEILINGS = (
    Caching(),
    Caching(enabled=False),
    Caching(ceilings=Ceilings(fresh=15)),
    Caching(ceilings=Ceilings(stale=0)),
    Caching(ceilings=Ceilings(fresh=5, stale=20)),
)
MOODS = (
    *(("well", 0, 0),) * 4,
    ("well", 0.05, 0.05),
    ("well", 0, 2),
    ("well", 2, 0),
    ("well", 0, 8),
    ("well", 20, 20),
    ("500", 0, 0),
    ("429", 0, 0),
    ("away", 0.2, 0),
)
MIDNIGHT = 8.0
"""Seconds that lead from one day into the next."""
SECONDS = (0.05, 0.3, 0.9, 1.5, 4, 9, 15, 25, 35, 45, 45, 70, 70, 100, 200, 700, 4000, 40_000)

worker = st.integers(0, WORKERS - 1)
which = st.integers(0, 5)
wait = st.sampled_from((True, True, True, False))
may = st.sampled_from(("full", "plain"))
question = st.sampled_from(QUESTIONS)
way = st.sampled_from(("", "", "", "unsubscribe", "cut", "mend"))
header = st.one_of(st.just(""), st.just(""), st.sampled_from(HEADERS))


@dataclass(eq=False)
class Walk:
    """Pages that are asked for one after the other, of one account by one key."""

    account: str
    company: str
    secret: str
    size: str
    seen: list[str] = field(default_factory=list)
    cursor: str | None = None
    since: float = inf
    began: float = 0


class CacheMachine(RuleBasedStateMachine):
    """What may be done, and what befalls."""

    def __init__(self) -> None:
        super().__init__()
        self.simulation = Simulation(WORKERS)
        self.walks: list[Walk] = []
        self.asked: list[SimulatedRequest] = []
        self.curious = False
        self.steps = 0

    def teardown(self) -> None:
        self.simulation.close()

    @initialize(scopes=st.sampled_from(SCOPES), restless=st.booleans(), curious=st.booleans())
    def begin(self, scopes: tuple[str, ...], restless: bool, curious: bool) -> None:
        self.curious = curious
        for each in self.simulation.companies.values():
            each.restless = restless
        for company, entries in (("c1", scopes), ("c2", SCOPES[0])):
            self.simulation.run(self.simulation.link(0, company, entries))

    @property
    def accounts(self) -> list[str]:
        return list(self.simulation.database.accounts)

    def account(self, number: int) -> str:
        return self.accounts[number % len(self.accounts)]

    def company_of(self, account: str) -> str:
        return self.simulation.periods[account][-1].company

    # --- asking ---------------------------------------------------------------------------------------------

    @precondition(lambda self: self.accounts)
    @rule(at=worker, number=which, secret=may, question=question, header=header, wait=wait)
    def ask(self, at: int, number: int, secret: str, question: Question, header: str, wait: bool) -> None:
        asked = self._question(at, number, secret, question)
        self.asked.append(asked)
        self._do(self._judged(asked, header), wait=wait)

    @precondition(lambda self: self.asked)
    @rule(
        at=worker,
        number=which,
        secret=st.sampled_from(("", "full", "plain")),
        header=header,
        wait=wait,
        seconds=st.one_of(st.just(0), st.sampled_from(SECONDS)),
    )
    def ask_again(self, at: int, number: int, secret: str, header: str, wait: bool, seconds: float) -> None:
        self.simulation.pass_time(seconds)
        before = self.asked[-1 - number % len(self.asked)]
        again = replace(before, worker=at, secret=secret or before.secret, page=None, error=None)
        self._do(self._judged(again, header), wait=wait)

    @rule(at=worker, number=which, secret=st.sampled_from(("blind", "foreign", "nobody")), question=question)
    def ask_without_right(self, at: int, number: int, secret: str, question: Question) -> None:
        self._do(self._judged(self._question(at, number, secret, question), ""), wait=True)

    @precondition(lambda self: self.accounts)
    @rule(
        ats=st.lists(worker, min_size=2, max_size=5),
        number=which,
        secret=may,
        question=question,
        headers=st.lists(header, min_size=5, max_size=5),
        gap=st.sampled_from((0, 0, 0.3, 1.5, 4, 7)),
        spread=st.booleans(),
        way=way,
    )
    def ask_at_once(
        self,
        ats: list[int],
        number: int,
        secret: str,
        question: Question,
        headers: list[str],
        gap: float,
        spread: bool,
        way: str,
    ) -> None:
        """Asks the same of one account, or of several, side by side, `gap` seconds after each other."""
        self._obstruct(way, ats[0])
        asked = [self._question(at, number + spread * place, secret, question) for place, at in enumerate(ats)]

        async def late(each: SimulatedRequest, header: str, place: int) -> None:
            await asyncio.sleep(gap * place)
            await self._judged(each, header)

        self.asked.append(asked[0])
        self.simulation.run(*(late(each, headers[place], place) for place, each in enumerate(asked)))

    @rule(
        at=worker,
        number=which,
        secret=may,
        size=st.sampled_from(("1", "2", "3")),
        header=st.sampled_from(("", "", "no-cache", "max-age=5")),
    )
    def begin_a_walk(self, at: int, number: int, secret: str, size: str, header: str) -> None:
        if self.accounts:
            account = self.account(number)
            walk = Walk(account, self.company_of(account), secret, size, began=self.simulation.time.seconds())
            self._do(self._page(walk, at, header), wait=True)

    @precondition(lambda self: self.walks)
    @rule(
        at=worker, number=which, steps=st.integers(1, 4), header=st.sampled_from(("", "", "", "no-cache", "max-age=5"))
    )
    def walk_on(self, at: int, number: int, steps: int, header: str) -> None:
        walk = self.walks[number % len(self.walks)]
        for step in range(steps):
            if walk in self.walks:
                self._do(self._page(walk, (at + step) % WORKERS, header), wait=True)

    @rule(number=which)
    def hang_up(self, number: int) -> None:
        """A client does not wait for its answer any more."""
        if self.simulation.tasks:
            self.simulation.tasks[number % len(self.simulation.tasks)].cancel()
            self.simulation.pass_time(0)

    # --- what changes ---------------------------------------------------------------------------------------

    @rule(
        company=st.sampled_from(("c1", "c2", "c3")),
        what=st.sampled_from(("person", "role", "town", "hire", "hire first", "leave")),
        number=which,
    )
    def change(self, company: str, what: str, number: int) -> None:
        self._alter(company, what, number)
        self.simulation.pass_time(0)

    @rule(
        at=worker,
        number=which,
        what=st.sampled_from(("person", "role", "town", "hire", "hire first", "leave")),
        wait=wait,
    )
    def write(self, at: int, number: int, what: str, wait: bool) -> None:
        if self.accounts:
            paths = {"role": "/roles", "town": "/towns"}
            path = paths.get(what, "/people")
            work = self.simulation.write(
                at, self.account(number), path, lambda company: self._alter(company.name, what, number)
            )
            self._do(work, wait=wait)

    @rule(at=worker, number=which, path=st.sampled_from(("/people", "/roles", "/towns")))
    def deliver(self, at: int, number: int, path: str) -> None:
        if self.accounts:
            self._do(self.simulation.deliver(at, self.account(number), path), wait=True)

    @rule(
        at=worker,
        number=which,
        scopes=st.sampled_from(SCOPES),
        company=st.sampled_from(("", "", "c1", "c2", "c3")),
        wait=wait,
    )
    def link(self, at: int, number: int, scopes: tuple[str, ...], company: str, wait: bool) -> None:
        """Links a new account where there are few, else one anew."""
        if len(self.accounts) < 2:
            self._do(self.simulation.link(at, company or "c1", scopes), wait=wait)
        else:
            account = self.account(number)
            self._do(self.simulation.link(at, company or self.company_of(account), scopes, account), wait=wait)

    @rule(
        at=worker,
        number=which,
        what=st.sampled_from(("suspend", "resume", "resume", "unlink", "revoke", *CEILINGS)),
    )
    def amend(self, at: int, number: int, what: str | Caching) -> None:
        if not self.accounts:
            return
        account = self.account(number)
        match what:
            case "unlink":
                self._do(self.simulation.unlink(at, account), wait=True)
            case "revoke":
                self.simulation.vendor.revoked.add(self.simulation.database.accounts[account].credential.reveal)
            case "suspend":
                self._do(self.simulation.amend(at, account, status=Status.SUSPENDED), wait=True)
            case Caching():
                self._do(self.simulation.amend(at, account, caching=what), wait=True)
            case _:
                for each in self.accounts:
                    self._do(self.simulation.amend(at, each, status=Status.ACTIVE), wait=True)

    # --- what is worth trying, for chance alone would seldom do it ------------------------------------------

    @precondition(lambda self: self.accounts)
    @rule(
        ats=st.tuples(worker, worker),
        number=which,
        secret=may,
        question=question,
        header=st.sampled_from(("", "", *HEADERS)),
        seconds=st.sampled_from((*SECONDS[:-2], MIDNIGHT)),
        change=st.sampled_from(("", "", "", "revoke", *CEILINGS)),
    )
    def ask_and_ask_later(
        self,
        ats: tuple[int, int],
        number: int,
        secret: str,
        question: Question,
        header: str,
        seconds: float,
        change: str | Caching,
    ) -> None:
        """Asks twice, and again after a while, or when the day has ended."""
        self.simulation.vendor.be("well", 0, 0)
        if seconds is MIDNIGHT:
            self.simulation.pass_time((-self.simulation.time.seconds() - MIDNIGHT / 2) % 86_400)
        for at in (ats[0], ats[0]):
            self.ask(at=at, number=number, secret=secret, question=question, header="", wait=True)
        if change:
            self.amend(at=ats[0], number=number, what=change)
        self.simulation.pass_time(seconds)
        self.ask(at=ats[1], number=number, secret=secret, question=question, header=header, wait=True)

    @precondition(lambda self: self.accounts)
    @rule(
        reader=worker,
        writer=worker,
        number=which,
        question=st.sampled_from((("", {}), ("", {"fields": "remote_id,name"}), ("p1", {}))),
        way=way,
        slow=st.sampled_from(((0, 2), (0, 8), (2, 0))),
        gaps=st.tuples(*[st.sampled_from((0.0, 0.05, 0.3, 0.9, 1.5, 4))] * 3),
    )
    def write_amid_reads(
        self,
        reader: int,
        writer: int,
        number: int,
        question: Question,
        way: str,
        slow: tuple[float, float],
        gaps: tuple[float, ...],
    ) -> None:
        """Write while a read is under way that began before, and read thereafter."""
        self._obstruct(way, reader)
        self.simulation.vendor.be("well", *slow)
        self.ask(at=reader, number=number, secret="full", question=question, header="", wait=False)
        self.simulation.pass_time(gaps[0])
        self.simulation.vendor.be("well", 0, 0)
        self.write(at=writer, number=number, what="person", wait=True)
        for gap in (*gaps, *gaps):
            self.simulation.pass_time(gap)
            self.ask(at=reader, number=number, secret="full", question=question, header="", wait=True)

    @precondition(lambda self: self.accounts)
    @rule(
        at=worker,
        number=which,
        size=st.sampled_from(("1", "2")),
        kinds=st.sampled_from(
            ((), ("snapshot",), ("rows",), ("answer",), ("list", "answer"), ("snapshot", "rows", "list"))
        ),
        changes=st.lists(st.sampled_from(("hire first", "leave", "hire", "person")), min_size=0, max_size=3),
        header=st.sampled_from(("", "no-cache")),
    )
    def change_amid_a_walk(
        self, at: int, number: int, size: str, kinds: tuple[str, ...], changes: list[str], header: str
    ) -> None:
        """Walk, while the list changes, is read anew by somebody, and its reading is lost or is not."""
        self.simulation.vendor.be("well", 0, 0)
        before = list(self.walks)
        self.begin_a_walk(at=at, number=number, secret="full", size=size, header="")
        walks = [walk for walk in self.walks if walk not in before]
        for place, what in enumerate(changes):
            self.change(company=self.company_of(self.account(number)), what=what, number=place)
        self.ask(at=at, number=number, secret="full", question=("", {}), header=header, wait=True)
        if kinds:
            self.lose(kinds)
        for walk in walks:
            for step in range(12):
                if walk in self.walks:
                    self._do(self._page(walk, (at + step) % WORKERS, ""), wait=True)

    @precondition(lambda self: self.walks and self.accounts)
    @rule(at=worker, number=which)
    def walk_on_elsewhere(self, at: int, number: int) -> None:
        """Use a cursor for another account, or for another question of the same."""
        walk, account = self.walks[number % len(self.walks)], self.account(number)
        words = {"page_size": walk.size, "next": walk.cursor or ""}
        if account == walk.account:
            words["fields"] = "remote_id"
        asked = SimulatedRequest(at, account, walk.secret, LIST, words, NO_DIRECTIVES, 0, foreign=True)
        self._do(self._judged(asked, ""), wait=True)

    @precondition(lambda self: self.accounts)
    @rule(at=worker, number=which, question=question, way=way)
    def unlink_amid_reads(self, at: int, number: int, question: Question, way: str) -> None:
        """Unlink while reads are under way everywhere, and let time pass until all must be gone."""
        self._obstruct(way, 0)
        self.simulation.vendor.be("well", 0, 8)
        for reader in range(WORKERS):
            self.ask(at=reader, number=number, secret="full", question=question, header="", wait=False)
        self.simulation.pass_time(0.3)
        self.amend(at=at, number=number, what="unlink")
        for seconds in (1.5, 8, 2 * DEADLINE):
            self.simulation.pass_time(seconds)
            check_unlinked(self.simulation)

    # --- what befalls ---------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from(SECONDS))
    def pass_time(self, seconds: float) -> None:
        self.simulation.pass_time(seconds)

    @rule(mood=st.sampled_from(MOODS))
    def be(self, mood: tuple[str, float, float]) -> None:
        self.simulation.vendor.be(*mood)

    @rule(company=st.sampled_from(("c1", "c2")), path=st.sampled_from(("/people", "/roles", "/towns")))
    def refuse(self, company: str, path: str) -> None:
        self.simulation.vendor.refuse(company, path)

    @rule(
        kinds=st.sampled_from(
            ((), ("answer",), ("list",), ("snapshot",), ("rows",), ("generation",), ("lease",), ("sweep", "rows"))
        )
    )
    def lose(self, kinds: tuple[str, ...]) -> None:
        self.simulation.lose(*kinds)

    @rule(what=st.sampled_from(("cut 0", "cut 1", "cut all", "unsubscribe 0", "unsubscribe 1", "mend", "mend", "mend")))
    def break_or_mend(self, what: str) -> None:
        workers = {"0": [0], "1": [1]}.get(what[-1], range(WORKERS))
        for each in workers:
            if what.startswith("cut"):
                self.simulation.cut(each)
            elif what.startswith("unsubscribe"):
                self.simulation.unsubscribe(each)
            else:
                self.simulation.mend(each)
        self.simulation.pass_time(0)

    @rule(
        at=worker,
        lag=st.sampled_from((0.0, 0.002, 0.05)),
        delay=st.sampled_from((0.0, 0.01, 0.4)),
        chance=st.sampled_from((0.0, 0.5, 0.99)),
    )
    def slow_down(self, at: int, lag: float, delay: float, chance: float) -> None:
        self.simulation.workers[at].link.lag = lag
        self.simulation.workers[at].subscription.delay = delay
        self.simulation.time.chance = chance

    # --- what holds -----------------------------------------------------------------------------------------

    @invariant()
    def the_last_question_is_answered_well(self) -> None:
        """Somebody curious asks it again after each step, now here and now there."""
        self.steps += 1
        if self.curious and self.asked:
            again = replace(self.asked[-1], worker=self.steps % WORKERS, page=None, error=None)
            self._do(self._judged(again, ""), wait=self.steps % 3 > 0)

    @invariant()
    def nothing_is_left_of_the_unlinked(self) -> None:
        check_unlinked(self.simulation)

    # --- how it is done -------------------------------------------------------------------------------------

    def _obstruct(self, way: str, at: int) -> None:
        """Returns a worker deaf, or cut it off, and let that be seen; or leave it as it is."""
        if way:
            self.break_or_mend(f"{way} {at}")
            self.simulation.pass_time(1.5)

    def _do(self, work: Coroutine[Any, Any, Any], *, wait: bool) -> None:
        async def start() -> None:
            self.simulation.begin(work)

        self.simulation.run(work if wait else start())

    def _question(self, at: int, number: int, secret: str, question: Question) -> SimulatedRequest:
        account = self.account(number) if self.accounts else "a0"
        known = account in self.simulation.periods
        values = {
            "company": self.company_of(account) if known else "c1",
            "now": f"{datetime.fromtimestamp(self.simulation.time.seconds() // 1000 * 1000, UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
        key, words = question
        words = {name: value.format(**values) for name, value in words.items()}
        return SimulatedRequest(at, account, secret, GET if key else LIST, words, NO_DIRECTIVES, 0, key)

    async def _judged(self, asked: SimulatedRequest, header: str) -> SimulatedRequest:
        await self.simulation.ask(asked, header)
        check(self.simulation, asked)
        return asked

    async def _page(self, walk: Walk, at: int, header: str) -> None:
        words = {"page_size": walk.size, **({"next": walk.cursor} if walk.cursor else {})}
        if walk in self.walks:
            self.walks.remove(walk)
        since, again = min(walk.began, walk.since), self.simulation.begun_again.get(walk.account, -inf)
        # What was made before somebody was told to begin again is of no use to a walk that began afterwards.
        since = max(since, again) if again < walk.began else since
        asked = SimulatedRequest(at, walk.account, walk.secret, LIST, words, NO_DIRECTIVES, 0, walk_since=since)
        await self._judged(asked, header)
        if asked.page is None:
            return
        body = orjson.loads(asked.page.body)
        walk.seen += [each["remote_id"] for each in body["data"]]
        walk.since = min(walk.since, asked.began, asked.page.freshness.times.made_at)
        walk.cursor = body["next"]
        assert len(walk.seen) == len(set(walk.seen)), f"a walk repeats: {walk.seen}"
        if walk.cursor is not None:
            self.walks.append(walk)
        elif all(each.company == walk.company for each in self.simulation.periods[walk.account]):
            there = self.simulation.companies[walk.company].there("/people", walk.since, asked.ended)
            assert there <= set(walk.seen), f"a walk skips {there - set(walk.seen)}"

    def _alter(self, company: str, what: str, number: int) -> int:
        at = self.simulation.companies[company]
        match what:
            case "hire" | "hire first":
                return at.hire(first=what == "hire first") if len(at.people) < 8 else at.count()
            case "leave":
                return at.leave(at.people[number % len(at.people)]) if len(at.people) > 1 else at.count()
            case "person":
                return at.touch(at.people[number % len(at.people)])
            case "role":
                return at.touch(at.roles[number % len(at.roles)])
            case _:
                return at.touch(at.towns[number % len(at.towns)])


def test_the_cache_satisfies_its_contract() -> None:
    run_state_machine_as_test(
        CacheMachine, settings=settings(max_examples=4 * settings().max_examples, stateful_step_count=40)
    )
