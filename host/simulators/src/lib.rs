//! Stand-ins for the providers that plugins talk to, for plugin authors on their own machine.
//!
//! Each simulator speaks its provider's wire format with real signatures, keeps its state in memory, and misbehaves on
//! request: it times out after it charged, delivers twice or out of order, signs wrongly, rotates its certificate. What is
//! correct here is what a plugin relies on; what only a dashboard would show is left out.
//!
//! ```no_run
//! # async fn example(clock: std::sync::Arc<dyn aistack_core::Clock>, rng: std::sync::Arc<dyn aistack_core::Rng>) {
//! use aistack_simulators::{Options, find};
//! let listen = "127.0.0.1:0".parse().expect("an address");
//! let options = Options { listen, clock, rng, seed: 1, webhook: None };
//! let running = find("stripe").expect("is known").start(options).await.expect("starts");
//! // running.config and running.secrets are pasted into the plugin's configuration;
//! // running.base_url is a page that explains the rest.
//! running.stop().await;
//! # }
//! ```
//!
//! # Control
//! Beside the provider's own paths every simulator answers on its HTTP port:
//!
//! | request | does |
//! |---|---|
//! | `GET /` | a page that says what runs, with configuration and knobs, in English and Chinese |
//! | `GET /_sim` | the same as JSON |
//! | `POST /_sim/faults {"bad_signature": true, "next": 1}` | arms knobs; `next` limits them to that many operations |
//! | `GET /_sim/faults`, `DELETE /_sim/faults` | what is armed; disarms everything |
//! | `GET /_sim/log` | the latest requests and deliveries, secrets removed |
//! | `GET /_sim/state` | what the provider knows: orders, refunds, people |
//! | `POST /_sim/pay/{ref}` | the payer pays; sends the webhook and tells how it was answered |
//! | `POST /_sim/deliver {"kind": …, "to": url}` | signs and sends one webhook |
//! | `POST /_sim/webhook {"url": …}` | where webhooks go that name no address of their own |
//! | `POST /_sim/reset` | forgets orders, log and faults; keys stay |
//!
//! # What is the same again
//! Keys, certificates and passwords come from the seed: the same seed gives the same configuration after a restart. Ids of
//! orders and the like come from the generator of [`Options`], so that they do not repeat. Nothing here protects anything:
//! who knows the seed knows the keys. The simulators belong on a loopback address.

mod alipay;
mod ldap;
mod material;
mod oidc;
mod paypal;
mod saml;
mod shell;
mod stripe;
mod wechatpay;
mod wecom;
mod wire;

pub use shell::faults::{Faults, Knob, KnobKind};
pub use shell::{Options, Running, Simulator, StartError};
pub use wire::Text;

/// Every simulator there is.
#[must_use]
pub fn all() -> &'static [Simulator] {
    static ALL: &[Simulator] = &[
        saml::SIMULATOR,
        oidc::SIMULATOR,
        ldap::SIMULATOR,
        wecom::SIMULATOR,
        stripe::SIMULATOR,
        paypal::SIMULATOR,
        alipay::SIMULATOR,
        wechatpay::SIMULATOR,
    ];
    ALL
}

/// The simulator of that name (`oidc`, `stripe`, …).
#[must_use]
pub fn find(name: &str) -> Option<&'static Simulator> {
    all().iter().find(|simulator| simulator.name == name)
}
