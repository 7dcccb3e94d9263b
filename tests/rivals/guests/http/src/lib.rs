//! The work as a `wasi:http` component, for `wasmtime serve`: the request's body is `{"config", "payload"}`, the answer's
//! the address. There is no host to ask for config and MAC, so the one comes with the request and the other is computed
//! here.

use hmac::{Hmac, Mac};
use serde_json::Value;
use std::convert::Infallible;
use wasi::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

#[path = "../../../../hostile/common/src/work.rs"]
mod work;

struct Handler;
wasi::http::proxy::export!(Handler);

impl wasi::exports::http::incoming_handler::Guest for Handler {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let asked: Value = serde_json::from_slice(&body(&request)).unwrap_or_default();
        let made = work::create_payment(&asked["config"].to_string(), &asked["payload"].to_string(), |body| {
            let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"newest").expect("any length will do");
            mac.update(body);
            Ok::<_, Infallible>(mac.finalize().into_bytes().to_vec())
        });
        let Ok(address) = made;
        let headers = Fields::new();
        headers
            .set("content-length", &[address.len().to_string().into_bytes()])
            .expect("a header that may be set");
        let response = OutgoingResponse::new(headers);
        let body = response.body().expect("taken once");
        ResponseOutparam::set(out, Ok(response));
        let stream = body.write().expect("taken once");
        stream
            .blocking_write_and_flush(address.as_bytes())
            .expect("the other side reads");
        drop(stream);
        OutgoingBody::finish(body, None).expect("as long as announced");
    }
}

fn body(request: &IncomingRequest) -> Vec<u8> {
    let (mut all, body) = (Vec::new(), request.consume().expect("taken once"));
    let stream = body.stream().expect("taken once");
    while let Ok(part) = stream.blocking_read(64 << 10) {
        all.extend(part);
    }
    all
}
