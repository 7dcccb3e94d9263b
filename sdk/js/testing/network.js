// Outbound HTTP of the double: granted hosts, credentials, the script.

import { Fault } from "../fault.js";
import { bytesOf } from "./interfaces.js";

/** `host:port` of a URL, of `host:port` or of a host name. */
function authority(value) {
  const plain = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `https://${value}`;
  let url;
  try {
    url = new URL(plain);
  } catch {
    return undefined;
  }
  return `${url.hostname}:${url.port || (url.protocol === "http:" ? 80 : 443)}`;
}

export class Network {
  script = [];
  sent = [];
  #state;

  constructor(state) {
    this.#state = state;
  }

  /** The hosts that a list of the manifest stands for. */
  #hosts(list = []) {
    return list
      .flatMap((entry) => {
        const member = /^\$\{config\.([^}]+)\}$/.exec(entry);
        return member === null ? [entry] : [this.#state.config[member[1]] ?? []].flat();
      })
      .map(authority);
  }

  send(request, credential, options) {
    const { manifest } = this.#state;
    const to = authority(request.url);
    const granted = (manifest.egress ?? []).filter((e) => e.kind === "http").flatMap((e) => this.#hosts(e.hosts));
    if (to === undefined) throw Fault.invalidInput("url_invalid", `${request.url} is no URL`);
    if (!granted.includes(to)) throw Fault.denied("host_not_granted", `${to} is not among the granted hosts`);
    const headers = new Map(request.headers.map(([n, v]) => [n.toLowerCase(), new TextDecoder().decode(v)]));
    let { url } = request;
    let body = new TextDecoder().decode(request.body);
    if (credential.tag !== "none") {
      const [name, handle] = Array.isArray(credential.val) ? credential.val : [undefined, credential.val];
      const value = this.#secret(handle, `http:${credential.tag}`, to);
      const pair = () => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
      if (credential.tag === "bearer") headers.set("authorization", `Bearer ${value}`);
      if (credential.tag === "basic") headers.set("authorization", `Basic ${btoa(`${name}:${value}`)}`);
      if (credential.tag === "header") headers.set(name.toLowerCase(), value);
      if (credential.tag === "query") url += `${url.includes("?") ? "&" : "?"}${pair()}`;
      if (credential.tag === "form") body += `${body === "" ? "" : "&"}${pair()}`;
    }
    this.sent.push({ method: request.method, url, headers, body: new TextEncoder().encode(body), text: body, options });
    const found = this.script.find((s) => s.method === request.method && s.url === request.url);
    if (found === undefined) throw Fault.transport("unreachable", `the script has no ${request.method} ${request.url}`);
    const answer = found.answer(request);
    if (options.maxBytes > 0 && answer.body.length > options.maxBytes) {
      throw Fault.provider("response_too_large", `more than ${options.maxBytes} bytes`);
    }
    return answer;
  }

  #secret(handle, use, to) {
    const declared = this.#state.manifest.secret.find((s) => s.name === handle.name);
    if (!declared.use.includes(use)) throw Fault.denied("use_not_granted", `${handle.name} may not be used as ${use}`);
    if (!this.#hosts(declared.hosts).includes(to)) {
      throw Fault.denied("secret_not_bound", `${handle.name} is not bound to ${to}`);
    }
    return bytesOf(handle).toString();
  }
}
