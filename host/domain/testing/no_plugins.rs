//! A plugin runtime without plugins.

use aistack_domain::plugins::port::{
    ExternalSession, Fault, FaultKind, Feature, Finding, Grants, HttpRequest, IdentityPort, InboundOutcome, Inspection,
    Invocation, LoginInput, LoginProgress, LoginStart, LoginStep, Payment, PaymentOrder, PaymentPort, PluginRuntime,
    Refund, Refusal, ReportPort, ReportRequest,
};
use serde_json::Value;

pub(super) struct NoPlugins;

fn none<T>() -> Result<T, Fault> {
    Err(Fault::new(
        FaultKind::Unsupported,
        "no_plugins",
        "this host has no plugins",
    ))
}
fn refused<T>() -> Result<T, Refusal> {
    Err(Refusal::Host("this host has no plugins".to_owned()))
}

#[async_trait::async_trait]
impl PluginRuntime for NoPlugins {
    async fn admit(&self, _: &[u8]) -> Result<Inspection, Refusal> {
        refused()
    }
    async fn restore(&self, _: &str, _: &[u8]) -> Result<(), Refusal> {
        refused()
    }
    async fn forget(&self, _: &str) {}
    fn has(&self, _: &str) -> bool {
        false
    }
    fn check_grants(&self, _: &str, _: &Grants) -> Result<(), Refusal> {
        refused()
    }
    async fn describe(&self, _: Invocation) -> Result<Vec<Feature>, Fault> {
        none()
    }
    async fn check(&self, _: Invocation, _: bool) -> Result<Vec<Finding>, Fault> {
        none()
    }
    async fn inbound(&self, _: Invocation, _: &str, _: HttpRequest) -> Result<InboundOutcome, Fault> {
        none()
    }
    fn identity(&self) -> &dyn IdentityPort {
        self
    }
    fn payment(&self) -> &dyn PaymentPort {
        self
    }
    fn report(&self) -> &dyn ReportPort {
        self
    }
}

#[async_trait::async_trait]
impl IdentityPort for NoPlugins {
    async fn begin(&self, _: Invocation, _: LoginStart) -> Result<LoginProgress, Fault> {
        none()
    }
    async fn resume(&self, _: Invocation, _: Vec<u8>, _: LoginInput) -> Result<LoginProgress, Fault> {
        none()
    }
    async fn unsolicited(&self, _: Invocation, _: LoginInput) -> Result<ExternalSession, Fault> {
        none()
    }
    async fn logout(&self, _: Invocation, _: ExternalSession, _: String) -> Result<Option<LoginStep>, Fault> {
        none()
    }
}

#[async_trait::async_trait]
impl PaymentPort for NoPlugins {
    async fn create(&self, _: Invocation, _: PaymentOrder) -> Result<Payment, Fault> {
        none()
    }
    async fn resume(&self, _: Invocation, _: Payment, _: HttpRequest) -> Result<Payment, Fault> {
        none()
    }
    async fn fetch(&self, _: Invocation, _: String, _: Option<String>) -> Result<Payment, Fault> {
        none()
    }
    async fn cancel(&self, _: Invocation, _: Payment, _: String) -> Result<Payment, Fault> {
        none()
    }
    async fn refund(&self, _: Invocation, _: Payment, _: Refund) -> Result<Refund, Fault> {
        none()
    }
}

#[async_trait::async_trait]
impl ReportPort for NoPlugins {
    async fn run(&self, _: Invocation, _: ReportRequest) -> Result<Value, Fault> {
        none()
    }
}
