// A sign-in through a service of your own: the browser goes there and comes back with a code, the code is exchanged for
// a person.

import { Fault, bytes, credential, form, hex, parseForm, queryOf, request, text, withQuery } from "aistack-sdk";

function serviceOf(host) {
  const { service_url: url } = host.config();
  if (typeof url !== "string") throw Fault.invalidConfig("config_invalid", "service_url is missing");
  return url;
}

/** Asks the service, with the key that only the host knows. */
function call(host, message) {
  const answer = host.send(message, credential.bearer(host.secret("service_key")), {
    timeoutMs: 5000,
    maxBytes: 64 * 1024,
  });
  if (answer.status !== 200) throw Fault.provider("service_refused", `the service answered ${answer.status}`);
  try {
    return JSON.parse(text(answer.body));
  } catch {
    throw Fault.provider("answer_unreadable", "the service's answer is not JSON");
  }
}

/** What has to be the same when the browser comes back. The platform seals it and hands it back once. */
function pendingOf(state) {
  try {
    const pending = JSON.parse(text(state));
    if (typeof pending.state === "string") return pending;
  } catch {
    // Told below, as every other state that is not ours.
  }
  throw Fault.invalidInput("state_unreadable", "the sign-in's state is not ours");
}

export default {
  describe: () => [{ name: "login" }],

  check(host, _context, deep) {
    try {
      const url = serviceOf(host);
      if (deep) call(host, request("GET", `${url}/health`));
      return [{ ok: true, message: "fine" }];
    } catch (fault) {
      return [{ field: "/service_url", ok: false, message: fault.message }];
    }
  },

  begin(host, _context, start) {
    const state = hex(host.random(16));
    const url = withQuery(`${serviceOf(host)}/authorize`, { redirect_uri: start.returnUrl, state });
    return { step: { tag: "redirect", val: url }, state: bytes(JSON.stringify({ state })), expiresS: 600 };
  },

  resume(host, _context, state, input) {
    if (input.tag !== "http") {
      throw Fault.invalidInput("input_unexpected", "a sign-in continues with the browser's return");
    }
    const pending = pendingOf(state);
    const fields = parseForm(queryOf(input.val.url));
    const field = (name) => fields.find(([n]) => n === name)?.[1];
    if (field("state") !== pending.state) {
      throw Fault.denied("state_mismatch", "the response does not belong to this sign-in");
    }
    const code = field("code");
    if (code === undefined) throw Fault.denied("user_cancelled", "there is no code");
    const person = call(
      host,
      request("POST", `${serviceOf(host)}/exchange`, {
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: form({ code }),
      }),
    );
    const said = (name) => (typeof person?.[name] === "string" && person[name] !== "" ? person[name] : undefined);
    const subject = said("id");
    if (subject === undefined) throw Fault.denied("subject_invalid", "the service did not say who it was");
    const user = {
      subject,
      username: said("login"),
      email: said("email"),
      emailVerified: person.email_verified === true,
      displayName: said("name"),
    };
    return { step: { tag: "done", val: { user } } };
  },
};
