//! World `identity-provider`: signing people in.

use crate::lifecycle::{inbound_methods, provider_exports, provider_methods, shared_exports};
use crate::{Context, Fault, Host, Pair};
use aistack_bindings_identity as generated;
use serde_json::Value;

pub use generated::exports::aistack::identity::directory::{Change, EntryKind, Group, Page};
pub use generated::exports::aistack::identity::login::{Field, Input, Progress, Session, Start, Step, User};

/// A plugin that signs people in. Every operation but [`Provider::describe`] has a default that answers `unsupported`.
pub trait Provider {
    provider_methods!();
    inbound_methods!();

    /// Starts a sign-in.
    ///
    /// # Errors
    /// Any.
    fn begin(&self, host: &Host, ctx: &Context, start: Start) -> Result<Progress, Fault> {
        let _ = (host, ctx, start);
        Err(Fault::unsupported("login"))
    }

    /// Continues it with the state of the step before. The host has checked `state`; what the provider sent is
    /// unchecked.
    ///
    /// # Errors
    /// Any.
    fn resume(&self, host: &Host, ctx: &Context, state: &[u8], input: Input) -> Result<Progress, Fault> {
        let _ = (host, ctx, state, input);
        Err(Fault::unsupported("login"))
    }

    /// A sign-in that the provider started.
    ///
    /// # Errors
    /// Any.
    fn unsolicited(&self, host: &Host, ctx: &Context, input: Input) -> Result<Session, Fault> {
        let _ = (host, ctx, input);
        Err(Fault::unsupported("sign-in started by the provider"))
    }

    /// Renews a session from its tokens without the person.
    ///
    /// # Errors
    /// Any.
    fn renew(&self, host: &Host, ctx: &Context, tokens: Value) -> Result<Session, Fault> {
        let _ = (host, ctx, tokens);
        Err(Fault::unsupported("renewal"))
    }

    /// Signs out at the provider too. The step, if there is one, is for the browser, which comes back to `return_url`.
    ///
    /// # Errors
    /// Any.
    fn logout(&self, host: &Host, ctx: &Context, session: Session, return_url: &str) -> Result<Option<Step>, Fault> {
        let _ = (host, ctx, session, return_url);
        Ok(None)
    }

    /// The next page of the directory.
    ///
    /// # Errors
    /// Any.
    fn sync(&self, host: &Host, ctx: &Context, full: bool, cursor: Option<Vec<u8>>, limit: u32) -> Result<Page, Fault> {
        let _ = (host, ctx, full, cursor, limit);
        Err(Fault::unsupported("directory"))
    }

    /// One person of the directory.
    ///
    /// # Errors
    /// Any.
    fn find(&self, host: &Host, ctx: &Context, by: Pair) -> Result<Option<User>, Fault> {
        let _ = (host, ctx, by);
        Err(Fault::unsupported("directory"))
    }
}

/// Carries a [`Provider`] to the generated exports; `export_identity!` names it.
#[doc(hidden)]
pub struct Adapter<P>(core::marker::PhantomData<P>);

shared_exports!(generated, Provider);
provider_exports!(generated, Provider);

#[cfg(target_family = "wasm")]
impl<P: Provider + Default> generated::exports::aistack::identity::login::Guest for Adapter<P> {
    fn begin(c: Context, start: Start) -> Result<Progress, Fault> {
        P::default().begin(&Host::component(), &c, start)
    }
    fn resume(c: Context, state: Vec<u8>, input: Input) -> Result<Progress, Fault> {
        P::default().resume(&Host::component(), &c, &state, input)
    }
    fn unsolicited(c: Context, input: Input) -> Result<Session, Fault> {
        P::default().unsolicited(&Host::component(), &c, input)
    }
    fn renew(c: Context, tokens: String) -> Result<Session, Fault> {
        P::default().renew(&Host::component(), &c, crate::json::parse(tokens.as_bytes())?)
    }
    fn logout(c: Context, session: Session, return_url: String) -> Result<Option<Step>, Fault> {
        P::default().logout(&Host::component(), &c, session, &return_url)
    }
}

#[cfg(target_family = "wasm")]
impl<P: Provider + Default> generated::exports::aistack::identity::directory::Guest for Adapter<P> {
    fn sync(c: Context, full: bool, cursor: Option<Vec<u8>>, limit: u32) -> Result<Page, Fault> {
        P::default().sync(&Host::component(), &c, full, cursor, limit)
    }
    fn find(c: Context, by: Pair) -> Result<Option<User>, Fault> {
        P::default().find(&Host::component(), &c, by)
    }
}
