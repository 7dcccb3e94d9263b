"""Failures as the contract has them: a kind that decides the HTTP status and the breaker, a code that support searches
for, a message for operators."""

from __future__ import annotations

from componentize_py_types import Err
from wit_world.imports import types

KINDS = {kind.name.lower(): kind for kind in types.Kind}


class Fault(Exception):
    """Raised by a plugin, and by the host's functions when they refuse. Made by `Fault.denied(code, message)` and so on;
    there is one for each kind of the contract."""

    def __init__(
        self,
        kind: str,
        code: str,
        message: str,
        *,
        user_message: str | None = None,
        retry_after_ms: int | None = None,
        outcome_unknown: bool = False,
        provider_ref: str | None = None,
    ):
        super().__init__(message)
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is no kind of fault; there are {', '.join(KINDS)}")
        self.kind = kind
        self.code = code
        self.message = message
        self.user_message = user_message
        self.retry_after_ms = retry_after_ms
        self.outcome_unknown = outcome_unknown
        self.provider_ref = provider_ref

    def with_unknown_outcome(self) -> Fault:
        """The same fault, saying that the provider may have acted although no answer came."""
        return Fault(
            self.kind,
            self.code,
            self.message,
            user_message=self.user_message,
            retry_after_ms=self.retry_after_ms,
            outcome_unknown=True,
            provider_ref=self.provider_ref,
        )

    def to_wit(self) -> Err:
        """What crosses the border."""
        return Err(
            types.Fault(
                KINDS[self.kind],
                self.code,
                self.message,
                self.user_message,
                self.retry_after_ms,
                self.outcome_unknown,
                self.provider_ref,
            )
        )

    @classmethod
    def from_wit(cls, raised: BaseException) -> Fault | None:
        """The fault in what a function of the host raised."""
        if isinstance(raised, cls):
            return raised
        found = getattr(raised, "value", None)
        if not isinstance(raised, Err) or not isinstance(found, types.Fault):
            return None
        return cls(
            found.kind.name.lower(),
            found.code,
            found.message,
            user_message=found.user_message,
            retry_after_ms=found.retry_after_ms,
            outcome_unknown=found.outcome_unknown,
            provider_ref=found.provider_ref,
        )

    @classmethod
    def not_offered(cls, what: str) -> Fault:
        """For operations that a plugin does not have."""
        return cls("unsupported", "unsupported", f"this plugin does not offer {what}")

    @classmethod
    def invalid_config(cls, code: str, message: str, **more) -> Fault:
        return cls("invalid_config", code, message, **more)

    @classmethod
    def invalid_input(cls, code: str, message: str, **more) -> Fault:
        return cls("invalid_input", code, message, **more)

    @classmethod
    def denied(cls, code: str, message: str, **more) -> Fault:
        return cls("denied", code, message, **more)

    @classmethod
    def not_found(cls, code: str, message: str, **more) -> Fault:
        return cls("not_found", code, message, **more)

    @classmethod
    def conflict(cls, code: str, message: str, **more) -> Fault:
        return cls("conflict", code, message, **more)

    @classmethod
    def declined(cls, code: str, message: str, **more) -> Fault:
        return cls("declined", code, message, **more)

    @classmethod
    def expired(cls, code: str, message: str, **more) -> Fault:
        return cls("expired", code, message, **more)

    @classmethod
    def signature_invalid(cls, code: str, message: str, **more) -> Fault:
        return cls("signature_invalid", code, message, **more)

    @classmethod
    def rate_limited(cls, code: str, message: str, **more) -> Fault:
        return cls("rate_limited", code, message, **more)

    @classmethod
    def transport(cls, code: str, message: str, **more) -> Fault:
        return cls("transport", code, message, **more)

    @classmethod
    def provider(cls, code: str, message: str, **more) -> Fault:
        return cls("provider", code, message, **more)

    @classmethod
    def internal(cls, code: str, message: str, **more) -> Fault:
        return cls("internal", code, message, **more)
