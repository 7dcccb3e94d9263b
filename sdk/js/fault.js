// Failures as the contract has them: a kind that decides the HTTP status and the breaker, a code that support searches
// for, a message for operators.

const kinds = [
  "unsupported", "invalid-config", "invalid-input", "denied", "not-found", "conflict", "declined", "expired",
  "signature-invalid", "rate-limited", "transport", "provider", "internal",
];

/** Thrown by a plugin, and by the host's functions when they refuse. */
export class Fault extends Error {
  constructor(kind, code, message, more = {}) {
    super(message);
    if (!kinds.includes(kind)) throw new TypeError(`${kind} is no kind of fault`);
    this.name = "Fault";
    this.kind = kind;
    this.code = code;
    this.userMessage = more.userMessage;
    this.retryAfterMs = more.retryAfterMs;
    this.outcomeUnknown = more.outcomeUnknown ?? false;
    this.providerRef = more.providerRef;
  }

  /** What crosses the border; the bindings look for it under this name. */
  get payload() {
    const { kind, code, message, userMessage, retryAfterMs, outcomeUnknown, providerRef } = this;
    return { kind, code, message, userMessage, retryAfterMs, outcomeUnknown, providerRef };
  }

  /** The same fault, saying that the provider may have acted although no answer came. */
  unknownOutcome() {
    return new Fault(this.kind, this.code, this.message, { ...this.payload, outcomeUnknown: true });
  }

  static unsupported = (what) => new Fault("unsupported", "unsupported", `this plugin does not offer ${what}`);
  static invalidConfig = (code, message, more) => new Fault("invalid-config", code, message, more);
  static invalidInput = (code, message, more) => new Fault("invalid-input", code, message, more);
  static denied = (code, message, more) => new Fault("denied", code, message, more);
  static notFound = (code, message, more) => new Fault("not-found", code, message, more);
  static conflict = (code, message, more) => new Fault("conflict", code, message, more);
  static declined = (code, message, more) => new Fault("declined", code, message, more);
  static expired = (code, message, more) => new Fault("expired", code, message, more);
  static signatureInvalid = (code, message, more) => new Fault("signature-invalid", code, message, more);
  static rateLimited = (code, message, more) => new Fault("rate-limited", code, message, more);
  static transport = (code, message, more) => new Fault("transport", code, message, more);
  static provider = (code, message, more) => new Fault("provider", code, message, more);
  static internal = (code, message, more) => new Fault("internal", code, message, more);

  /** A fault of whatever was thrown by a function of the host. */
  static from(thrown) {
    if (thrown instanceof Fault) return thrown;
    const found = thrown?.payload ?? thrown;
    if (kinds.includes(found?.kind)) return new Fault(found.kind, found.code, found.message, found);
    return undefined;
  }
}
