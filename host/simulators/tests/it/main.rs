//! The simulators over the wire. Signatures are checked with implementations that the simulators do not use.
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod alipay;
mod control;
mod ldap;
mod oidc;
mod paypal;
mod saml;
mod stripe;
mod support;
mod wechatpay;
mod wecom;
