//! `http`: requests by the host, on behalf of a guest.

mod exchange;
mod prepare;

use super::{Answer, SecretHandle};
use crate::{
    call::CallState,
    v1::{bindings::http as wit, convert::fault_out},
};
use wasmtime::component::Resource;

pub(super) use exchange::{Line, failed, send_one};
pub(super) use prepare::prepare;

/// Most redirects that are followed.
const MAX_REDIRECTS: u8 = 10;

impl wit::Host for CallState {
    async fn send(
        &mut self,
        request: wit::HttpRequest,
        cred: wit::Credential,
        opts: wit::Options,
    ) -> Answer<wit::HttpResponse> {
        enter!(self, "http");
        let outgoing = match prepare(self, request, &cred, opts.ca.as_deref())? {
            Ok(o) => o,
            Err(f) => return Ok(Err(f)),
        };
        let cap = u64::try_from(self.inv.limits.transfer).unwrap_or(u64::MAX);
        let limit = if opts.max_bytes == 0 {
            cap
        } else {
            cap.min(opts.max_bytes.into())
        };
        let time = self.time_for(opts.timeout_ms);
        let answer = exchange::exchange(
            self,
            outgoing,
            opts.redirects.min(MAX_REDIRECTS),
            opts.idempotent,
            limit,
            time,
        )
        .await;
        Ok(answer.map_err(fault_out))
    }
}

/// The secret handle inside a credential, if there is one.
pub(super) fn handle(cred: &wit::Credential) -> Option<&Resource<SecretHandle>> {
    match cred {
        wit::Credential::None => None,
        wit::Credential::Bearer(s) | wit::Credential::ClientCert(s) => Some(s),
        wit::Credential::Basic((_, s))
        | wit::Credential::Header((_, s))
        | wit::Credential::Query((_, s))
        | wit::Credential::Form((_, s)) => Some(s),
    }
}
