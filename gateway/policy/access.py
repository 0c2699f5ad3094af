"""What a key and a token can do with an operation and each of its fields, with every reason why something is closed.

A request is refused for the first reason; this report has all of them. The decisions are the policy's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.contract import Operation, Resource
from connectors.hris.requests import READ_AS
from connectors.needs import Need
from connectors.spec import Absent, Nested, Table
from connectors.writes import PASSTHROUGH, Rule, To, Unwritable, Within, Write
from gateway.policy.policy import BY_OPERATOR, KEY_GRANTER, Policy, WithheldReason, holds


@dataclass(frozen=True, slots=True)
class FieldAccess:
    """A field: why it is closed, and in `lacking` why the vendor has nothing for it. With neither it is open."""

    path: str
    closings: tuple[WithheldReason, ...] = ()
    lacking: str = ""

    @property
    def open(self) -> bool:
        """Returns whether nothing closes the field."""
        return not self.closings and not self.lacking


@dataclass(frozen=True, slots=True)
class OperationAccess:
    """An operation: why it is closed, and its fields: those of the answer, or of a write's body."""

    closings: tuple[WithheldReason, ...]
    fields: tuple[FieldAccess, ...]


@dataclass(frozen=True, slots=True)
class AccessReport:
    """The rights of one key and one token, under one connector's and one operator's rules."""

    policy: Policy
    key: frozenset[str]
    token: frozenset[str]

    def of(self, operation: Operation) -> OperationAccess | None:
        """Returns the access to an operation, or None where the connector cannot answer it."""
        endpoint = self.policy.connector.endpoint(operation)
        if endpoint:
            closings = [*self.outer(operation, operation.scope), *self.lacking(endpoint.scope)]
            return _ability(closings, self._read_fields(endpoint.table, "", closings))
        write = self.policy.connector.write(operation)
        if write:
            outer = [*self.outer(operation, operation.scope), *self.lacking(*write.always)]
            # A change may write any part alone; a creation always writes the main part.
            parts = [part for part in write.parts if part.needs]
            if not write.partial or all(any(self.lacking(*part.needs)) for part in parts):
                outer += self.lacking(*write.main.needs)
            return _ability(outer, self._body_fields(write, outer))
        return None

    def outer(self, operation: Operation, scope: str) -> Iterator[WithheldReason]:
        """Yields the reasons why an operation is closed for every account."""
        if operation.id in self.policy.operator.operations:
            yield BY_OPERATOR
        if not holds(self.key, scope):
            yield WithheldReason(scope, KEY_GRANTER)

    def lacking(self, *needs: Need) -> Iterator[WithheldReason]:
        """Yields the needs that the token does not meet."""
        for need in needs:
            if not need.met_by(self.token):
                yield WithheldReason(str(need), self.policy.connector.granter)

    def _read_fields(self, table: Table, prefix: str, outer: Sequence[WithheldReason]) -> Iterator[FieldAccess]:
        """Yields the fields of an answer. A reason that closes the operation or an object closes its fields, too."""
        for name, rule in table.rows.items():
            path = f"{prefix}{name}"
            if isinstance(rule, Absent):
                yield FieldAccess(path, (), rule.reason)
                continue
            closings = [*outer, *self.policy.closings(table.resource, name, rule, self.key, self.token)]
            yield FieldAccess(path, _once(closings))
            if isinstance(rule, Nested):
                yield from self._read_fields(rule.table, f"{path}.", closings)

    def _body_fields(self, write: Write, outer: Sequence[WithheldReason]) -> Iterator[FieldAccess]:
        if write.body is None:
            return
        yield from self._sent(write, write.body, write.fields, "", outer)
        if PASSTHROUGH in write.body.fields and PASSTHROUGH not in write.fields:
            yield FieldAccess(PASSTHROUGH, _once([*outer, *self.lacking(*write.main.needs)]))

    def _sent(
        self, write: Write, resource: Resource, rows: Mapping[str, Rule], prefix: str, outer: Sequence[WithheldReason]
    ) -> Iterator[FieldAccess]:
        for name, spec in resource.fields.items():
            rule = rows.get(name)
            path = f"{prefix}{name}"
            closings = list(outer)
            if self.policy.forbids(f"{READ_AS.get(resource.name)}.{name}"):
                closings.append(BY_OPERATOR)
            if spec.scope and not holds(self.key, spec.scope):
                closings.append(WithheldReason(spec.scope, KEY_GRANTER))
            if isinstance(rule, Unwritable):
                yield FieldAccess(path, (), rule.reason)
            elif isinstance(rule, To):
                yield FieldAccess(path, _once([*closings, *self.lacking(*write.part(rule.part).needs)]))
            elif isinstance(rule, Within) and isinstance(spec.type, Resource):
                yield FieldAccess(path, _once(closings))
                yield from self._sent(write, spec.type, rule.rows, f"{path}.", closings)


def _ability(closings: Sequence[WithheldReason], fields: Iterator[FieldAccess]) -> OperationAccess:
    return OperationAccess(_once(closings), tuple(fields))


def _once(closings: Sequence[WithheldReason]) -> tuple[WithheldReason, ...]:
    return tuple(dict.fromkeys(closings))
