"""A sign-in through a service of your own: the browser goes there and comes back with a code, the code is exchanged for
a person."""

import json

from aistack_sdk import Credential, Fault, form, parse_form, query_of, request, with_query
from aistack_sdk.identity import Input_Http, Progress, Step_Done, Step_Redirect, feature, fine, problem, session, user


def service_of(host) -> str:
    url = host.config().get("service_url")
    if not isinstance(url, str):
        raise Fault.invalid_config("config_invalid", "service_url is missing")
    return url


def call(host, message) -> dict:
    """Asks the service, with the key that only the host knows."""
    key = Credential.bearer(host.secret("service_key"))
    answer = host.send(message, key, timeout_ms=5000, max_bytes=64 << 10)
    if answer.status != 200:
        raise Fault.provider("service_refused", f"the service answered {answer.status}")
    try:
        found = json.loads(answer.body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Fault.provider("answer_unreadable", "the service's answer is no JSON object")
    return found


def pending_of(state: bytes) -> str:
    """What has to be the same when the browser comes back. The platform seals it and hands it back once."""
    try:
        return json.loads(state)["state"]
    except (ValueError, KeyError, TypeError):
        raise Fault.invalid_input("state_unreadable", "the sign-in's state is not ours") from None


class SignIn:
    def describe(self):
        return [feature("login")]

    def check(self, host, context, deep):
        try:
            url = service_of(host)
            if deep:
                call(host, request("GET", f"{url}/health"))
        except Fault as fault:
            return [problem(fault.message, "/service_url")]
        return [fine()]

    def begin(self, host, context, start):
        state = host.random(16).hex()
        url = with_query(f"{service_of(host)}/authorize", {"redirect_uri": start.return_url, "state": state})
        return Progress(Step_Redirect(url), json.dumps({"state": state}).encode(), 600)

    def resume(self, host, context, state, input):
        if not isinstance(input, Input_Http):
            raise Fault.invalid_input("input_unexpected", "a sign-in continues with the browser's return")
        wanted = pending_of(state)
        fields = parse_form(query_of(input.value.url))

        def field(name):
            return next((value for found, value in fields if found == name), None)

        if field("state") != wanted:
            raise Fault.denied("state_mismatch", "the response does not belong to this sign-in")
        code = field("code")
        if code is None:
            raise Fault.denied("user_cancelled", "there is no code")
        headers = {"content-type": "application/x-www-form-urlencoded"}
        exchange = request("POST", f"{service_of(host)}/exchange", headers=headers, body=form({"code": code}))
        person = call(host, exchange)

        def said(name):
            value = person.get(name)
            return value if isinstance(value, str) and value else None

        subject = said("id")
        if subject is None:
            raise Fault.denied("subject_invalid", "the service did not say who it was")
        found = user(
            subject,
            username=said("login"),
            email=said("email"),
            email_verified=person.get("email_verified") is True,
            display_name=said("name"),
        )
        return Progress(Step_Done(session(found)), b"", 0)


plugin = SignIn()
