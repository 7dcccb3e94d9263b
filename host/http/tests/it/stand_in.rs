//! A plugin runtime that answers what it is told to, so that every test of the HTTP face reads in one place.

use aistack_core::{Money, Timestamp};
use aistack_domain::plugins::port::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// A component is `{"manifest", "schema", "imports"}` as JSON. Sign-ins succeed for `code=good`; payments are pending;
/// deliveries are genuine when their header `signature` is `good`, and their body is the event.
pub(crate) struct StandIn;

fn no(kind: FaultKind, code: &str) -> Fault {
    Fault::new(kind, code, "stand-in")
}

#[async_trait::async_trait]
impl PluginRuntime for StandIn {
    async fn admit(&self, component: &[u8]) -> Result<Inspection, Refusal> {
        let v: Value = serde_json::from_slice(component).map_err(|e| Refusal::NotAComponent(e.to_string()))?;
        let manifest = v["manifest"].as_str().unwrap().to_owned();
        let kind = PluginKind::ALL
            .iter()
            .find(|k| manifest.contains(&format!("aistack:{k}/")))
            .copied();
        Ok(Inspection {
            digest: hex::encode(Sha256::digest(component)),
            kind: kind.unwrap(),
            contract: "1.0.0".to_owned(),
            manifest,
            config_schema: v["schema"].to_string(),
            imports: vec!["config".to_owned()],
            size: component.len() as u64,
            payload_sha256: Sha256::digest(component).into(),
            payload_size: component.len() as u64,
            signatures: Vec::new(),
        })
    }
    async fn restore(&self, _: &str, _: &[u8]) -> Result<(), Refusal> {
        Ok(())
    }
    async fn forget(&self, _: &str) {}
    fn has(&self, _: &str) -> bool {
        true
    }
    fn check_grants(&self, _: &str, _: &Grants) -> Result<(), Refusal> {
        Ok(())
    }
    async fn describe(&self, _: Invocation) -> Result<Vec<Feature>, Fault> {
        Ok(Vec::new())
    }
    async fn check(&self, _: Invocation, _: bool) -> Result<Vec<Finding>, Fault> {
        Ok(Vec::new())
    }
    async fn inbound(&self, _: Invocation, _: &str, request: HttpRequest) -> Result<InboundOutcome, Fault> {
        let header = |name: &str| request.headers.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone());
        assert_eq!(header("cookie"), None, "cookies are not for plugins");
        assert!(!request.url.contains("0123456789abcdef") && request.url.starts_with("/hooks/"));
        if header("signature").as_deref() != Some(b"good") {
            return Err(no(FaultKind::SignatureInvalid, "no_match"));
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let answer = |status, text: &str| HttpResponse {
            status,
            headers: vec![("content-type".to_owned(), b"text/html".to_vec())],
            body: text.as_bytes().to_vec(),
        };
        Ok(InboundOutcome {
            ack: answer(200, "<b>success</b>"),
            nack: answer(500, "fail"),
            events: vec![Event {
                id: body["id"].as_str().unwrap().to_owned(),
                kind: "payment.paid".to_owned(),
                occurred_at: Timestamp::from_secs(1_700_000_000),
                subject: body["order"].as_str().unwrap().to_owned(),
                data: body["data"].clone(),
            }],
        })
    }
    fn identity(&self) -> &dyn IdentityPort {
        self
    }
    fn payment(&self) -> &dyn PaymentPort {
        self
    }
    fn report(&self) -> &dyn ReportPort {
        unreachable!("no reports here")
    }
}

#[async_trait::async_trait]
impl IdentityPort for StandIn {
    async fn begin(&self, _: Invocation, start: LoginStart) -> Result<LoginProgress, Fault> {
        assert!(
            start
                .return_url
                .starts_with("http://acme.localhost:8080/api/v1/login/ins_"),
            "{}",
            start.return_url
        );
        Ok(LoginProgress {
            step: LoginStep::Redirect("https://idp.example/authorize".to_owned()),
            state: b"pkce".to_vec(),
            expires: Duration::from_secs(600),
        })
    }
    async fn resume(&self, _: Invocation, state: Vec<u8>, input: LoginInput) -> Result<LoginProgress, Fault> {
        assert_eq!(state, b"pkce");
        let LoginInput::Http(request) = input else {
            return Err(no(FaultKind::InvalidInput, "not_http"));
        };
        let came = format!("{}{}", request.url, String::from_utf8_lossy(&request.body));
        if !came.contains("code=good") {
            return Err(no(FaultKind::Denied, "access_denied"));
        }
        Ok(LoginProgress {
            step: LoginStep::Done(Box::new(ExternalSession {
                user: ExternalUser {
                    subject: "s-1".to_owned(),
                    alternate_ids: vec![("issuer".to_owned(), "https://idp.example".to_owned())],
                    username: None,
                    email: Some("eve@idp.example".to_owned()),
                    email_verified: true,
                    phone: None,
                    display_name: Some("Eve".to_owned()),
                    avatar: None,
                    groups: Vec::new(),
                    attributes: json!({}),
                },
                provider_session: None,
                expires_ms: None,
                acr: None,
                amr: Vec::new(),
                tokens: None,
            })),
            state: Vec::new(),
            expires: Duration::from_secs(60),
        })
    }
    async fn unsolicited(&self, _: Invocation, _: LoginInput) -> Result<ExternalSession, Fault> {
        Err(no(FaultKind::Unsupported, "unsupported"))
    }
    async fn logout(&self, _: Invocation, _: ExternalSession, _: String) -> Result<Option<LoginStep>, Fault> {
        Ok(None)
    }
}

#[async_trait::async_trait]
impl PaymentPort for StandIn {
    async fn create(&self, _: Invocation, order: PaymentOrder) -> Result<Payment, Fault> {
        assert!(order.notify_url.starts_with("http://acme.localhost:8080/hooks/ins_"));
        if order.description == "decline me" {
            return Err(no(FaultKind::Declined, "card_declined"));
        }
        Ok(payment(PaymentStatus::ActionNeeded, None))
    }
    async fn resume(&self, _: Invocation, p: Payment, _: HttpRequest) -> Result<Payment, Fault> {
        Ok(p)
    }
    async fn fetch(&self, _: Invocation, _: String, _: Option<String>) -> Result<Payment, Fault> {
        Ok(payment(PaymentStatus::Pending, None))
    }
    async fn cancel(&self, _: Invocation, _: Payment, _: String) -> Result<Payment, Fault> {
        Ok(payment(PaymentStatus::Cancelled, None))
    }
    async fn refund(&self, _: Invocation, _: Payment, _: Refund) -> Result<Refund, Fault> {
        Err(no(FaultKind::Unsupported, "unsupported"))
    }
}

fn payment(status: PaymentStatus, paid: Option<Money>) -> Payment {
    Payment {
        provider_ref: "cs_1".to_owned(),
        status,
        action: PaymentAction::Redirect("https://pay.example/cs_1".to_owned()),
        paid,
        fee: None,
        occurred_at: None,
        state: Vec::new(),
        raw: Value::Null,
    }
}
