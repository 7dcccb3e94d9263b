// What a plugin's own code needs: faults, forms, JSON and bytes. Nothing here reaches outside.

export { Fault } from "./fault.js";
export { credential } from "./host.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** The UTF-8 bytes of a text. */
export const bytes = (text) => encoder.encode(text);

/** The text of UTF-8 bytes; throws a TypeError when they are none. */
export const text = (raw) => decoder.decode(raw);

/** Lower-case hex. */
export const hex = (raw) => Array.from(raw, (b) => b.toString(16).padStart(2, "0")).join("");

/** The bytes of a hex text, or undefined when it is none. */
export function unhex(digits) {
  if (typeof digits !== "string" || !/^(?:[0-9a-fA-F]{2})*$/.test(digits)) return undefined;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** `name=value&…` of an object or of pairs; absent values are left out. */
export function form(fields) {
  const entries = Array.isArray(fields) ? fields : Object.entries(fields);
  return entries
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join("&");
}

/** Puts fields behind a URL that may have a query already. */
export const withQuery = (url, fields) => `${url}${url.includes("?") ? "&" : "?"}${form(fields)}`;

/** The fields of a query or of a form, in order; what cannot be decoded is kept as it stands. */
export function parseForm(query) {
  const decode = (part) => {
    const spaced = part.replaceAll("+", " ");
    try {
      return decodeURIComponent(spaced);
    } catch {
      return spaced;
    }
  };
  return query
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const at = pair.indexOf("=");
      return at < 0 ? [decode(pair), ""] : [decode(pair.slice(0, at)), decode(pair.slice(at + 1))];
    });
}

/** The query of a URL or of a path, without the question mark. */
export function queryOf(url) {
  const at = url.indexOf("?");
  return at < 0 ? "" : url.slice(at + 1).split("#")[0];
}

/** A request; `body` is text, bytes or, with a JSON content type put in front, an object. */
export function request(method, url, { headers = {}, body } = {}) {
  const list = Object.entries(headers).map(([name, value]) => [name, bytes(String(value))]);
  let raw = new Uint8Array();
  if (typeof body === "string") raw = bytes(body);
  else if (body instanceof Uint8Array) raw = body;
  else if (body !== undefined) {
    raw = bytes(JSON.stringify(body));
    list.unshift(["content-type", bytes("application/json")]);
  }
  return { method, url, headers: list, body: raw };
}

/** An answer to a delivery. */
export const response = (status, body = "") => ({
  status,
  headers: body === "" ? [] : [["content-type", bytes("text/plain; charset=utf-8")]],
  body: bytes(body),
});

/** The value of a header, whatever the case of its name; undefined when it is absent or no text. */
export function header(message, name) {
  const found = message.headers.find(([n]) => n.toLowerCase() === name.toLowerCase());
  if (found === undefined) return undefined;
  try {
    return text(found[1]);
  } catch {
    return undefined;
  }
}
