"""`aistack:identity/identity-provider`: types of the world, and its exports made from a plugin's methods
`describe check migrate begin resume unsolicited renew logout sync find inbound document job`."""

from __future__ import annotations

import json

from wit_world.exports import directory
from wit_world.exports.login import (
    Field,
    Input_Fields,
    Input_Http,
    Input_Poll,
    Progress,
    Session,
    Start,
    Step,
    Step_Done,
    Step_Embed,
    Step_FormPost,
    Step_Prompt,
    Step_Qr,
    Step_Redirect,
    Step_Wait,
    User,
)

from .guard import Border, as_json
from .worlds import delivery_exports, feature, fine, lifecycle_exports, problem

__all__ = [
    "Field", "Input_Fields", "Input_Http", "Input_Poll", "Progress", "Session", "Start", "Step_Done", "Step_Embed",
    "Step_FormPost", "Step_Prompt", "Step_Qr", "Step_Redirect", "Step_Wait", "User", "exports", "feature", "fine",
    "problem", "session", "user",
]  # fmt: skip


def user(subject: str, *, email_verified: bool = False, attributes: dict | None = None, **known) -> User:
    """A person. `subject` is the provider's immutable id; what is not known is left out."""
    return User(
        subject=subject,
        alternate_ids=known.get("alternate_ids", []),
        username=known.get("username"),
        email=known.get("email"),
        email_verified=email_verified,
        phone=known.get("phone"),
        display_name=known.get("display_name"),
        avatar=known.get("avatar"),
        groups=known.get("groups", []),
        attributes=as_json(attributes),
    )


def session(person: User, *, tokens: dict | None = None, **known) -> Session:
    """A finished sign-in."""
    return Session(
        user=person,
        provider_session=known.get("provider_session"),
        expires_ms=known.get("expires_ms"),
        acr=known.get("acr"),
        amr=known.get("amr", []),
        tokens=None if tokens is None else as_json(tokens),
    )


def exports(plugin, host) -> dict[str, type]:
    """What the component exports."""
    border = Border(plugin, host)

    class Login:
        def begin(self, c, start):
            return border.run("begin", "sign-in", Progress, c, start)

        def resume(self, c, state, input):
            return border.run("resume", "sign-in", Progress, c, state, input)

        def unsolicited(self, c, input):
            return border.run("unsolicited", "sign-ins that the provider starts", Session, c, input)

        def renew(self, c, tokens):
            return border.run("renew", "renewal", Session, c, json.loads(tokens))

        def logout(self, c, session, return_url):
            return border.run("logout", "logout", Step | None, c, session, return_url)

    class Directory:
        def sync(self, c, full, cursor, limit):
            return border.run("sync", "a directory", directory.Page, c, full, cursor, limit)

        def find(self, c, by):
            return border.run("find", "a directory", User | None, c, by)

    return {**lifecycle_exports(border), **delivery_exports(border), "Login": Login, "Directory": Directory}
