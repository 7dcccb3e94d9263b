//! Payments through Stripe Checkout.
//!
//! A payment is a Checkout Session: created here, paid on Stripe's page, reported by a signed webhook. Nothing the
//! browser brings back is believed; what counts is a verified event or an answer to a question of our own.

mod amount;
mod api;
mod checkout;
mod config;
mod operations;
mod refunds;
mod session;
#[cfg(test)]
mod tests;
mod webhook;

use aistack_sdk::payment::{Order, Payment, Provider, Refund};
use aistack_sdk::{Context, Fault, Feature, Finding, Host, HttpRequest, Money, Outcome};
use serde_json::json;

/// The plugin.
#[derive(Default)]
pub struct Stripe;

impl Provider for Stripe {
    fn describe(&self) -> Vec<Feature> {
        vec![
            Feature::with("payment", json!({"methods": ["checkout"]})),
            Feature::new("capture"),
            Feature::new("cancel"),
            Feature::new("refund"),
        ]
    }

    fn check(&self, host: &Host, ctx: &Context, deep: bool) -> Vec<Finding> {
        operations::check(host, ctx, deep)
    }

    fn create(&self, host: &Host, ctx: &Context, order: Order) -> Result<Payment, Fault> {
        checkout::create(host, ctx, &order)
    }

    fn resume(&self, host: &Host, ctx: &Context, payment: Payment, _back: HttpRequest) -> Result<Payment, Fault> {
        operations::refresh(host, ctx, &payment)
    }

    fn fetch(&self, host: &Host, ctx: &Context, order_id: &str, provider_ref: Option<&str>) -> Result<Payment, Fault> {
        operations::fetch(host, ctx, order_id, provider_ref)
    }

    fn capture(
        &self,
        host: &Host,
        ctx: &Context,
        payment: Payment,
        amount: Money,
        key: &str,
    ) -> Result<Payment, Fault> {
        operations::capture(host, ctx, &payment, &amount, key)
    }

    fn cancel(&self, host: &Host, ctx: &Context, payment: Payment, key: &str) -> Result<Payment, Fault> {
        operations::cancel(host, ctx, &payment, key)
    }

    fn refund(&self, host: &Host, ctx: &Context, payment: Payment, refund: Refund) -> Result<Refund, Fault> {
        refunds::create(host, ctx, &payment, refund)
    }

    fn fetch_refund(&self, host: &Host, ctx: &Context, payment: Payment, id: &str) -> Result<Refund, Fault> {
        refunds::fetch(host, ctx, &payment, id)
    }

    fn inbound(&self, host: &Host, ctx: &Context, endpoint: &str, request: HttpRequest) -> Result<Outcome, Fault> {
        webhook::handle(host, ctx, endpoint, &request)
    }
}

aistack_sdk::export_payment!(Stripe);
