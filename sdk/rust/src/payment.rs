//! World `payment-provider`: moving money.

use crate::lifecycle::{inbound_methods, provider_exports, provider_methods, shared_exports};
use crate::{Context, Fault, Host, HttpRequest, Money};
use aistack_bindings_payment as generated;
use serde_json::Value;

pub use generated::exports::aistack::payment::agreements::{Agreement, State as AgreementState};
pub use generated::exports::aistack::payment::payments::{Action, Order, Payment, Status};
pub use generated::exports::aistack::payment::refunds::Refund;
pub use generated::exports::aistack::payment::settlement::{Line, Page};

/// A plugin that moves money. Every operation but [`Provider::describe`] has a default that answers `unsupported`.
///
/// `Ok` with [`Status::Failed`] is a decline. A fault with `outcome_unknown` says that the provider may have acted; the
/// host then fetches before it tries again.
pub trait Provider {
    provider_methods!();
    inbound_methods!();

    /// Creates the payment at the provider.
    ///
    /// # Errors
    /// Any.
    fn create(&self, host: &Host, ctx: &Context, order: Order) -> Result<Payment, Fault> {
        let _ = (host, ctx, order);
        Err(Fault::unsupported("payment"))
    }

    /// The browser came back. Its parameters are never proof of payment.
    ///
    /// # Errors
    /// Any.
    fn resume(&self, host: &Host, ctx: &Context, payment: Payment, back: HttpRequest) -> Result<Payment, Fault> {
        let _ = (host, ctx, payment, back);
        Err(Fault::unsupported("resume"))
    }

    /// Looks a payment up.
    ///
    /// # Errors
    /// `not-found` only when the provider certainly has no such payment.
    fn fetch(&self, host: &Host, ctx: &Context, order_id: &str, provider_ref: Option<&str>) -> Result<Payment, Fault> {
        let _ = (host, ctx, order_id, provider_ref);
        Err(Fault::unsupported("fetch"))
    }

    /// Captures an authorised payment.
    ///
    /// # Errors
    /// Any.
    fn capture(
        &self,
        host: &Host,
        ctx: &Context,
        payment: Payment,
        amount: Money,
        key: &str,
    ) -> Result<Payment, Fault> {
        let _ = (host, ctx, payment, amount, key);
        Err(Fault::unsupported("capture"))
    }

    /// Closes an unpaid payment or voids an authorised one.
    ///
    /// # Errors
    /// `conflict` when it was paid meanwhile.
    fn cancel(&self, host: &Host, ctx: &Context, payment: Payment, key: &str) -> Result<Payment, Fault> {
        let _ = (host, ctx, payment, key);
        Err(Fault::unsupported("cancel"))
    }

    /// Gives money back; the same `refund.id` twice moves money once.
    ///
    /// # Errors
    /// Any.
    fn refund(&self, host: &Host, ctx: &Context, payment: Payment, refund: Refund) -> Result<Refund, Fault> {
        let _ = (host, ctx, payment, refund);
        Err(Fault::unsupported("refund"))
    }

    /// Looks a refund up by the platform's id.
    ///
    /// # Errors
    /// Any.
    fn fetch_refund(&self, host: &Host, ctx: &Context, payment: Payment, id: &str) -> Result<Refund, Fault> {
        let _ = (host, ctx, payment, id);
        Err(Fault::unsupported("refund"))
    }

    /// Asks the payer for standing permission to charge.
    ///
    /// # Errors
    /// Any.
    fn agree(&self, host: &Host, ctx: &Context, request: AgreementRequest) -> Result<Agreement, Fault> {
        let _ = (host, ctx, request);
        Err(Fault::unsupported("agreement"))
    }

    /// The browser came back from [`Provider::agree`].
    ///
    /// # Errors
    /// Any.
    fn resume_agreement(
        &self,
        host: &Host,
        ctx: &Context,
        agreement: Agreement,
        back: HttpRequest,
    ) -> Result<Agreement, Fault> {
        let _ = (host, ctx, agreement, back);
        Err(Fault::unsupported("agreement"))
    }

    /// `pause`, `resume`, `cancel` or `plan`.
    ///
    /// # Errors
    /// Any.
    fn change_agreement(
        &self,
        host: &Host,
        ctx: &Context,
        agreement: Agreement,
        verb: &str,
        args: Value,
        key: &str,
    ) -> Result<Agreement, Fault> {
        let _ = (host, ctx, agreement, verb, args, key);
        Err(Fault::unsupported("agreement"))
    }

    /// Looks an agreement up.
    ///
    /// # Errors
    /// Any.
    fn fetch_agreement(&self, host: &Host, ctx: &Context, agreement: Agreement) -> Result<Agreement, Fault> {
        let _ = (host, ctx, agreement);
        Err(Fault::unsupported("agreement"))
    }

    /// The next page of a day's bill.
    ///
    /// # Errors
    /// Any.
    fn settlement(
        &self,
        host: &Host,
        ctx: &Context,
        kind: &str,
        date: &str,
        cursor: Option<Vec<u8>>,
    ) -> Result<Page, Fault> {
        let _ = (host, ctx, kind, date, cursor);
        Err(Fault::unsupported("settlement"))
    }
}

/// What [`Provider::agree`] is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct AgreementRequest {
    /// The agreement, pending.
    pub agreement: Agreement,
    /// Where the browser comes back to.
    pub return_url: String,
    /// Where the provider reports.
    pub notify_url: String,
    /// Idempotency key.
    pub key: String,
}

/// Carries a [`Provider`] to the generated exports; `export_payment!` names it.
#[doc(hidden)]
pub struct Adapter<P>(core::marker::PhantomData<P>);

shared_exports!(generated, Provider);
provider_exports!(generated, Provider);

#[cfg(target_family = "wasm")]
mod exports {
    use super::*;
    use generated::exports::aistack::payment::{agreements, payments, refunds, settlement};

    impl<P: Provider + Default> payments::Guest for Adapter<P> {
        fn create(c: Context, order: Order) -> Result<Payment, Fault> {
            P::default().create(&Host::component(), &c, order)
        }
        fn resume(c: Context, payment: Payment, back: HttpRequest) -> Result<Payment, Fault> {
            P::default().resume(&Host::component(), &c, payment, back)
        }
        fn fetch(c: Context, order_id: String, provider_ref: Option<String>) -> Result<Payment, Fault> {
            P::default().fetch(&Host::component(), &c, &order_id, provider_ref.as_deref())
        }
        fn capture(c: Context, payment: Payment, amount: Money, key: String) -> Result<Payment, Fault> {
            P::default().capture(&Host::component(), &c, payment, amount, &key)
        }
        fn cancel(c: Context, payment: Payment, key: String) -> Result<Payment, Fault> {
            P::default().cancel(&Host::component(), &c, payment, &key)
        }
    }

    impl<P: Provider + Default> refunds::Guest for Adapter<P> {
        fn create(c: Context, payment: Payment, refund: Refund) -> Result<Refund, Fault> {
            P::default().refund(&Host::component(), &c, payment, refund)
        }
        fn fetch(c: Context, payment: Payment, id: String) -> Result<Refund, Fault> {
            P::default().fetch_refund(&Host::component(), &c, payment, &id)
        }
    }

    impl<P: Provider + Default> agreements::Guest for Adapter<P> {
        fn begin(
            c: Context,
            agreement: Agreement,
            return_url: String,
            notify_url: String,
            key: String,
        ) -> Result<Agreement, Fault> {
            P::default().agree(
                &Host::component(),
                &c,
                AgreementRequest {
                    agreement,
                    return_url,
                    notify_url,
                    key,
                },
            )
        }
        fn resume(c: Context, agreement: Agreement, back: HttpRequest) -> Result<Agreement, Fault> {
            P::default().resume_agreement(&Host::component(), &c, agreement, back)
        }
        fn change(
            c: Context,
            agreement: Agreement,
            verb: String,
            args: String,
            key: String,
        ) -> Result<Agreement, Fault> {
            let args = crate::json::parse(args.as_bytes())?;
            P::default().change_agreement(&Host::component(), &c, agreement, &verb, args, &key)
        }
        fn fetch(c: Context, agreement: Agreement) -> Result<Agreement, Fault> {
            P::default().fetch_agreement(&Host::component(), &c, agreement)
        }
    }

    impl<P: Provider + Default> settlement::Guest for Adapter<P> {
        fn pull(c: Context, kind: String, date: String, cursor: Option<Vec<u8>>) -> Result<Page, Fault> {
            P::default().settlement(&Host::component(), &c, &kind, &date, cursor)
        }
    }
}
