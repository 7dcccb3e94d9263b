// Payments through a service of your own: `POST /payments` makes one, `GET /payments/{order}` looks it up, and a signed
// notification says that it was paid.

import { Fault, credential, header, request, response, text, unhex } from "aistack-sdk";

function serviceOf(host) {
  const { service_url: url } = host.config();
  if (typeof url !== "string") throw Fault.invalidConfig("config_invalid", "service_url is missing");
  return url;
}

function parse(body) {
  try {
    return JSON.parse(text(body));
  } catch {
    throw Fault.provider("answer_unreadable", "the service's answer is not JSON");
  }
}

function call(host, message) {
  const answer = host.send(message, credential.bearer(host.secret("service_key")), {
    timeoutMs: 5000,
    maxBytes: 64 * 1024,
    idempotent: true,
  });
  if (answer.status === 404) throw Fault.notFound("payment_unknown", "the service has no such payment");
  if (answer.status !== 200) throw Fault.provider("service_refused", `the service answered ${answer.status}`);
  return parse(answer.body);
}

const statuses = new Map([["open", "action-needed"], ["paid", "paid"], ["failed", "failed"]]);

/** A payment as the service tells it. */
function read(answer) {
  const status = statuses.get(answer?.status);
  if (status === undefined || typeof answer.id !== "string" || answer.id === "") {
    throw Fault.provider("answer_unreadable", "the service's answer is not a payment", { outcomeUnknown: true });
  }
  const { id, minor, currency, exponent, url } = answer;
  const told = status === "paid" && Number.isSafeInteger(minor) && typeof currency === "string" && Number.isInteger(exponent);
  return {
    providerRef: id,
    status,
    action: typeof url === "string" ? { tag: "redirect", val: url } : { tag: "none" },
    paid: told ? { minor, currency, exponent } : undefined,
    raw: { status: answer.status },
  };
}

/** HMAC-SHA256 over the raw body, as hex in `x-signature`. The host compares in constant time and knows the keys. */
function verify(host, delivery) {
  const tag = unhex(header(delivery, "x-signature"));
  const genuine = tag !== undefined
    && host.secretVersions("notify_key").some((key) => host.macVerify("HS256", key, delivery.body, tag));
  if (!genuine) throw Fault.signatureInvalid("signature_mismatch", "the notification is not signed by the service");
}

export default {
  describe: () => [{ name: "payment" }],

  check(host, _context, deep) {
    try {
      const url = serviceOf(host);
      if (deep) call(host, request("GET", `${url}/health`));
      return [{ ok: true, message: "fine" }];
    } catch (fault) {
      return [{ field: "/service_url", ok: false, message: fault.message }];
    }
  },

  create(host, _context, order) {
    const { minor, currency } = order.amount;
    if (minor <= 0n || minor > BigInt(Number.MAX_SAFE_INTEGER) || !/^[A-Z]{3}$/.test(currency)) {
      throw Fault.invalidInput("amount_invalid", "a positive amount in an ISO 4217 currency is needed");
    }
    const message = request("POST", `${serviceOf(host)}/payments`, {
      headers: { "idempotency-key": order.idempotencyKey },
      body: {
        order: order.id,
        minor: Number(minor),
        currency,
        description: order.description,
        return_url: order.returnUrl,
      },
    });
    let answer;
    try {
      answer = call(host, message);
    } catch (fault) {
      // The service may have acted, whatever came back.
      throw ["transport", "provider"].includes(fault.kind) ? fault.unknownOutcome() : fault;
    }
    return read(answer);
  },

  fetch(host, _context, orderId) {
    return read(call(host, request("GET", `${serviceOf(host)}/payments/${encodeURIComponent(orderId)}`)));
  },

  inbound(host, _context, endpoint, delivery) {
    if (endpoint !== "notify") throw Fault.notFound("no_such_endpoint", `there is no endpoint ${endpoint}`);
    verify(host, delivery);
    const notice = parse(delivery.body);
    const event = {
      id: String(notice.id),
      kind: "payment.paid",
      occurredMs: Number.isSafeInteger(notice.at_ms) ? notice.at_ms : 0,
      subject: String(notice.order),
      data: {
        status: "paid",
        provider_ref: notice.payment,
        paid: { minor: notice.minor, currency: notice.currency },
      },
    };
    return { ack: response(200, "ok"), nack: response(503, "later"), events: [event] };
  },
};
