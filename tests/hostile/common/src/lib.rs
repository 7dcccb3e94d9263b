//! What the hostile guests share: macros for the parts of a world that they do not care about, and ordinary work to
//! measure.

pub mod calls;
pub mod work;

/// Embeds a manifest and a config schema as custom sections, the way the SDK does.
#[macro_export]
macro_rules! embed {
    ($manifest:literal) => {
        #[used]
        #[unsafe(link_section = "aistack:manifest")]
        static MANIFEST: [u8; $manifest.len()] = *$manifest;
        #[used]
        #[unsafe(link_section = "aistack:config-schema")]
        static SCHEMA: [u8; 17] = *br#"{"type":"object"}"#;
    };
}

/// A fault `unsupported`, in the types of the calling crate's bindings.
#[macro_export]
macro_rules! unsupported {
    () => {
        Err(Fault {
            kind: Kind::Unsupported,
            code: "unsupported".into(),
            message: "not offered".into(),
            user_message: None,
            retry_after_ms: None,
            outcome_unknown: false,
            provider_ref: None,
        })
    };
}

/// `lifecycle`, `inbound`, `documents` and `jobs` that do nothing.
#[macro_export]
macro_rules! idle_core {
    ($guest:ident) => {
        impl exports::aistack::core::lifecycle::Guest for $guest {
            fn describe() -> Vec<exports::aistack::core::lifecycle::Feature> {
                vec![exports::aistack::core::lifecycle::Feature {
                    name: "login".into(),
                    extra: "{}".into(),
                }]
            }
            fn check(_: Context, deep: bool) -> Vec<exports::aistack::core::lifecycle::Finding> {
                vec![exports::aistack::core::lifecycle::Finding {
                    field: None,
                    ok: !deep,
                    message: "checked".into(),
                }]
            }
            fn migrate(_: Context, _: String, config: String) -> Result<String, Fault> {
                Ok(config)
            }
        }
    };
    ($guest:ident, inbound) => {
        $crate::idle_core!($guest);
        impl exports::aistack::core::inbound::Guest for $guest {
            fn handle(
                _: Context,
                endpoint: String,
                req: aistack::core::types::HttpRequest,
            ) -> Result<exports::aistack::core::inbound::Outcome, Fault> {
                let answer = |status, body: &[u8]| aistack::core::types::HttpResponse {
                    status,
                    headers: vec![("content-type".into(), b"text/plain".to_vec())],
                    body: body.to_vec(),
                };
                Ok(exports::aistack::core::inbound::Outcome {
                    ack: answer(200, endpoint.as_bytes()),
                    nack: answer(500, b"again"),
                    events: vec![aistack::core::types::Event {
                        id: "evt_1".into(),
                        kind: "payment.paid".into(),
                        occurred_ms: 1_700_000_000_000,
                        subject: "ord_1".into(),
                        data: String::from_utf8(req.body).unwrap_or_default(),
                    }],
                })
            }
        }
        impl exports::aistack::core::documents::Guest for $guest {
            fn get(_: Context, _: String) -> Result<exports::aistack::core::documents::Doc, Fault> {
                $crate::unsupported!()
            }
        }
        impl exports::aistack::core::jobs::Guest for $guest {
            fn start(_: Context, _: String, _: Option<Vec<u8>>) -> Result<exports::aistack::core::jobs::Run, Fault> {
                $crate::unsupported!()
            }
        }
    };
}

/// `inbound` that answers as the delivery's own body says, and `documents` and `jobs` that do nothing. The body is
/// `{"ack": {"status", "headers", "body"}, "nack": …, "events": [{"id", "kind", "ms", "subject", "data"}]}`; `{"forged":
/// true}` is refused, `{"panic": true}` ends the guest.
#[macro_export]
macro_rules! obedient_inbound {
    ($guest:ident) => {
        impl exports::aistack::core::inbound::Guest for $guest {
            fn handle(
                _: Context,
                _: String,
                req: aistack::core::types::HttpRequest,
            ) -> Result<exports::aistack::core::inbound::Outcome, Fault> {
                let told: serde_json::Value = serde_json::from_slice(&req.body).unwrap_or_default();
                if told["forged"] == true {
                    return Err(Fault {
                        kind: Kind::SignatureInvalid,
                        code: "forged".into(),
                        message: "it says so itself".into(),
                        user_message: None,
                        retry_after_ms: None,
                        outcome_unknown: false,
                        provider_ref: None,
                    });
                }
                assert!(told["panic"] != true, "on request");
                let text = |v: &serde_json::Value, key: &str| v[key].as_str().unwrap_or_default().to_owned();
                let answer = |v: &serde_json::Value, status: u16, body: &str| aistack::core::types::HttpResponse {
                    status: v["status"].as_u64().map_or(status, |s| s as u16),
                    headers: v["headers"]
                        .as_object()
                        .into_iter()
                        .flatten()
                        .map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().as_bytes().to_vec()))
                        .collect(),
                    body: v["body"].as_str().unwrap_or(body).as_bytes().to_vec(),
                };
                let events = told["events"].as_array().into_iter().flatten();
                Ok(exports::aistack::core::inbound::Outcome {
                    ack: answer(&told["ack"], 200, "thank you"),
                    nack: answer(&told["nack"], 503, "again, please"),
                    events: events
                        .map(|e| aistack::core::types::Event {
                            id: text(e, "id"),
                            kind: text(e, "kind"),
                            occurred_ms: e["ms"].as_u64().unwrap_or(1_700_000_000_000),
                            subject: text(e, "subject"),
                            data: e["data"].to_string(),
                        })
                        .collect(),
                })
            }
        }
        impl exports::aistack::core::documents::Guest for $guest {
            fn get(_: Context, _: String) -> Result<exports::aistack::core::documents::Doc, Fault> {
                $crate::unsupported!()
            }
        }
        impl exports::aistack::core::jobs::Guest for $guest {
            fn start(_: Context, _: String, _: Option<Vec<u8>>) -> Result<exports::aistack::core::jobs::Run, Fault> {
                $crate::unsupported!()
            }
        }
    };
}

/// `refunds`, `agreements` and `settlement` that do nothing.
#[macro_export]
macro_rules! idle_money {
    ($guest:ident) => {
        impl refunds::Guest for $guest {
            fn create(_: Context, _: payments::Payment, r: refunds::Refund) -> Result<refunds::Refund, Fault> {
                Ok(refunds::Refund {
                    status: payments::Status::Paid,
                    provider_ref: Some("re_1".into()),
                    ..r
                })
            }
            fn fetch(_: Context, _: payments::Payment, _: String) -> Result<refunds::Refund, Fault> {
                $crate::unsupported!()
            }
        }

        impl agreements::Guest for $guest {
            fn begin(
                _: Context,
                a: agreements::Agreement,
                _: String,
                _: String,
                _: String,
            ) -> Result<agreements::Agreement, Fault> {
                Ok(a)
            }
            fn resume(_: Context, a: agreements::Agreement, _: HttpRequest) -> Result<agreements::Agreement, Fault> {
                Ok(a)
            }
            fn change(
                _: Context,
                a: agreements::Agreement,
                _: String,
                _: String,
                _: String,
            ) -> Result<agreements::Agreement, Fault> {
                Ok(a)
            }
            fn fetch(_: Context, a: agreements::Agreement) -> Result<agreements::Agreement, Fault> {
                Ok(a)
            }
        }

        impl settlement::Guest for $guest {
            fn pull(_: Context, _: String, _: String, _: Option<Vec<u8>>) -> Result<settlement::Page, Fault> {
                $crate::unsupported!()
            }
        }
    };
}
