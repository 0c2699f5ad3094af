"""Carries out a write step by step. Reads may be retried; a writing step is sent once and never again.

Until the first writing step is done, every failure is raised. A writing step without a clear answer is raised as
uncertain, since it may have been done. After something was done, a failure is recorded and the remaining steps are
still tried, so that the caller learns exactly what was done and what was not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from connectors.exchange import Answer
from connectors.writes import Flow, Missing, Reply, Step, Write, WrongValues
from gateway.accounts.token_rejection import TokenRejections
from gateway.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    GatewayError,
    NotFound,
    ProviderError,
    RateLimited,
    Unprocessable,
    VendorFailure,
)
from gateway.model import Clock, Upstream
from gateway.upstream.retry import retry_after_seconds
from gateway.upstream.vendor import UNCERTAIN, VendorClient, VendorRefusal, VendorSession


@dataclass(frozen=True, slots=True)
class UndoneStep:
    """A step that failed, or whose outcome is not known, after other steps were done."""

    does: str
    error: GatewayError


@dataclass(slots=True)
class WriteProgress:
    """How far a write has come: the vendor's paths that were written to, and whether an outcome is uncertain."""

    sent: list[str] = field(default_factory=list)
    uncertain: bool = False
    done: list[str] = field(default_factory=list)
    undone: list[UndoneStep] = field(default_factory=list)


class StepRunner:
    """Runs the steps of connectors' write flows."""

    def __init__(self, upstream: Upstream, client: VendorClient, clock: Clock, rejections: TokenRejections) -> None:
        self._upstream = upstream
        self._client = client
        self._clock = clock
        self._rejections = rejections

    async def run(self, session: VendorSession, write: Write, flow: Flow, progress: WriteProgress) -> str:
        """Runs a flow to its end and returns the vendor's id of its record.

        Raises `BadRequest` for values that the vendor cannot have, `NotFound` for a record that does not exist, and
        other `GatewayError`s for failures of the first writing step.
        """
        try:
            step = next(flow)
            while True:
                step = flow.send(await self._take(session, write, step, progress))
        except StopIteration as end:
            remote_id: str = end.value.remote_id
            return remote_id
        except WrongValues as wrong:
            raise BadRequest(
                "The body cannot be carried out: " + "; ".join(wrong.faults), errors=wrong.faults
            ) from wrong
        except Missing as missing:
            raise _not_found(missing.what) from missing

    async def _take(self, session: VendorSession, write: Write, step: Step, progress: WriteProgress) -> Reply:
        try:
            if not step.writes:
                return await self._read(session, step)
            reply = await self._write(session, write, step, progress)
        except (GatewayError, VendorRefusal) as error:
            fault = error if isinstance(error, GatewayError) else await self._explain(session, error)
            if not progress.done:
                if fault is error:
                    raise
                raise fault from error
            progress.undone.append(UndoneStep(step.does, fault))
            return Reply(ok=False)
        progress.done.append(step.does)
        return reply

    async def _explain(self, session: VendorSession, refusal: VendorRefusal) -> GatewayError:
        return await self._rejections.explain(session.linked, session.connector, [refusal.provider])

    async def _read(self, session: VendorSession, step: Step) -> Reply:
        try:
            return Reply(await self._client.get(session, step.request))
        except VendorRefusal as refusal:
            if refusal.status == 401:
                raise
            if step.missing:
                raise _not_found(step.missing) from refusal
            raise _refused(session, step, refusal.provider) from refusal

    async def _write(self, session: VendorSession, write: Write, step: Step, progress: WriteProgress) -> Reply:
        auth = session.connector.auth.headers(session.linked.credential.reveal)
        headers = {"accept": "application/json", "content-type": "application/json", **auth}
        if step.request.body is None:
            del headers["content-type"]
        session.calls += 1
        progress.sent.append(step.request.path)
        try:
            answer = await self._upstream.send(session.connector.base_url, replace(step.request, headers=headers))
        except VendorFailure as error:
            progress.uncertain = True
            raise VendorFailure(
                f"{session.connector.name} gave no answer when asked to {step.does}: {error.message} {UNCERTAIN}",
                provider_errors=error.provider_errors,
            ) from error
        body = _decoded(answer)
        if answer.status // 100 == 2 or (answer.status == 404 and step.gone_is_done):
            reply = Reply(body)
            if step.request.method == "POST" and not reply.id:
                progress.uncertain = True
                raise VendorFailure(
                    f"{session.connector.name} accepted to {step.does}, but its answer cannot be read: "
                    "read before trying again.",
                    provider_errors=[ProviderError(answer.status, step.request.path)],
                )
            return reply
        raise self._failure(_Refused(session, write, step, answer, body), progress)

    def _failure(self, refused: "_Refused", progress: WriteProgress) -> Exception:
        """Returns the exception for an answer that is not a success."""
        status, name, does = refused.answer.status, refused.session.connector.name, refused.step.does
        said, issues = [refused.provider], refused.issues()
        known: Mapping[int, type[GatewayError]] = {400: Unprocessable, 409: Conflict, 422: Unprocessable}
        if status == 401:
            return VendorRefusal(status, refused.provider)
        if status == 403:
            return _refused(refused.session, refused.step, refused.provider, issues)
        if status == 404 or (status in known and refused.blames_owner()):
            return _not_found(refused.step.missing or "record", refused.provider)
        if status in known:
            why = refused.provider.message or "it does not say why"
            return known[status](f"{name} refuses to {does}: {why}", errors=issues, provider_errors=said)
        if status == 429:
            return self._limited(refused)
        certain = 400 <= status < 500 and status != 408
        progress.uncertain = progress.uncertain or not certain
        note = "It was not done." if certain else UNCERTAIN
        return VendorFailure(f"{name} answered {status} when asked to {does}. {note}", provider_errors=said)

    def _limited(self, refused: "_Refused") -> RateLimited:
        seconds = retry_after_seconds(refused.answer.headers.get("retry-after"), self._clock.now())
        return RateLimited(
            f"{refused.session.connector.name} limits how often this account may be asked, and did not "
            f"{refused.step.does}; try again in {seconds} seconds.",
            retry_after=seconds,
            provider_errors=[refused.provider],
        )


@dataclass(frozen=True, slots=True)
class _Refused:
    """A writing step whose answer is not a success."""

    session: VendorSession
    write: Write
    step: Step
    answer: Answer
    body: Any

    @property
    def provider(self) -> ProviderError:
        return ProviderError(self.answer.status, self.step.request.path, self.session.connector.fault_text(self.body))

    def issues(self) -> list[str]:
        """Returns what the vendor finds wrong, one line for each field, by our name for it where there is one."""
        ours: Mapping[str, str] = {to.column: path for path, to in reversed(self.write.targets())}
        lines = []
        for column, reason in self.session.connector.fault_issues(self.body):
            path = ours.get(column.rpartition(".")[2])
            lines.append(
                f"{path} ({column} in {self.session.connector.name}): {reason}" if path else f"{column}: {reason}"
            )
        return lines

    def blames_owner(self) -> bool:
        columns = {column for column, _ in self.session.connector.fault_issues(self.body)}
        return bool(self.step.missing) and self.step.owner in columns


def _decoded(answer: Answer) -> Any:
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None


def _not_found(what: str, said: ProviderError | None = None) -> NotFound:
    return NotFound(
        f"There is no such {what}, or this account's token may not see it.", provider_errors=[said] if said else ()
    )


def _refused(session: VendorSession, step: Step, said: ProviderError, issues: list[str] | None = None) -> Forbidden:
    sure = "though its scopes cover it: the role of the person who made the token does not allow it."
    unsure = "of which it did not say what it may do: it lacks the scope, or its maker's role does not allow it."
    why = sure if session.linked.account.grant.certain else unsure
    return Forbidden(
        f"{session.connector.name} refuses to {step.does} with this account's token {why}",
        errors=issues or (),
        provider_errors=[said],
        code="ProviderForbiddenError",
    )
