//! A SAML 2.0 identity provider: metadata, sign-in asked for or not, single logout, and responses that are wrong in
//! whichever way is asked for.

mod request;
mod response;
mod sign;
mod xml;

use crate::material::people::{self, PEOPLE};
use crate::material::{Certificate, Signer, fresh};
use crate::shell::faults::{Armed, BAD_SIGNATURE, DUPLICATE, Knob, ROTATE_CERTIFICATE, Rotation, STALE};
use crate::shell::{Base, Counterpart, Parts, Simulator, StartError, page};
use crate::wire::{Acknowledged, Call, Fields, Notice, Refusal, Reply, Text, escape};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use request::ServiceProvider;
use response::{Asked, PERSISTENT};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use xml::Element;

const BINDINGS: [&str; 2] = [
    "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
    "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
];

pub(crate) const SIMULATOR: Simulator = Simulator {
    name: "saml",
    title: Text {
        en: "A SAML 2.0 identity provider.",
        zh: "SAML 2.0 身份提供方。",
    },
    knobs: &[
        Knob::flag("auto", "sign in without asking, as alice", "无需确认，以 alice 登录"),
        Knob::flag("unsigned", "the assertion is not signed", "断言不签名"),
        Knob::flag(
            "response_only",
            "the response is signed instead of the assertion",
            "仅对 Response 签名",
        ),
        Knob::flag(
            "sign_both",
            "response and assertion are signed",
            "Response 与断言均签名",
        ),
        Knob::flag(
            "wrapped",
            "another, unsigned assertion stands before the signed one",
            "在已签名断言之前插入未签名断言（签名包装）",
        ),
        Knob::flag(
            "comment_in_name",
            "a comment splits the NameID, which leaves the signature valid",
            "NameID 中插入注释（签名仍有效）",
        ),
        Knob::flag("wrong_audience", "for another service provider", "Audience 不符"),
        Knob::flag(
            "wrong_destination",
            "for another address",
            "Destination 与 Recipient 不符",
        ),
        Knob::flag("wrong_in_response_to", "answers another request", "InResponseTo 不符"),
        BAD_SIGNATURE,
        STALE,
        DUPLICATE,
        ROTATE_CERTIFICATE,
    ],
    build,
};

fn certificate(base: &Base, number: usize) -> Certificate {
    Certificate::make(
        &base.material,
        &format!("signing {number}"),
        "Sim SAML",
        &[],
        &Signer::Authority,
    )
}

fn build(base: &Base) -> Result<Parts, StartError> {
    let certificate = certificate(base, 0);
    Ok(Parts {
        config: json!({"idp_entity_id": format!("{}/metadata", base.url), "idp_metadata_url": format!("{}/metadata", base.url),
            "idp_sso_url": format!("{}/sso", base.url), "idp_slo_url": format!("{}/slo", base.url),
            "idp_certificate": certificate.pem()}),
        secrets: json!({}),
        notes: vec![
            Text {
                en: "The assertion is signed (RSA-SHA256). Requests need not be signed, and a signature on them is not looked at. POST your metadata to /sp, so that logout knows where to answer; without it the request's AssertionConsumerServiceURL is believed.",
                zh: "断言使用 RSA-SHA256 签名；请求的签名不作检查。将 SP 元数据 POST 到 /sp，单点登出才知道应答地址；否则使用请求中的 AssertionConsumerServiceURL。",
            },
            Text {
                en: "/sso?…&auto=alice signs in without asking. /start?acs=…&audience=…&auto=alice and POST /_sim/deliver {\"kind\": \"unsolicited\", \"to\": ACS, \"audience\": …} do so unasked; kinds replay and logout send the latest response again, and a LogoutRequest.",
                zh: "/sso?…&auto=alice 免确认登录。/start?acs=…&audience=…&auto=alice 与 POST /_sim/deliver {\"kind\": \"unsolicited\", \"to\": ACS, \"audience\": …} 由 IdP 发起；kind 为 replay 时重放上一次响应，logout 时发送 LogoutRequest。",
            },
        ],
        counterpart: Arc::new(Saml {
            base: base.clone(),
            state: Mutex::new(State {
                certificates: vec![Arc::new(certificate)],
                ..State::default()
            }),
        }),
        address: None,
        task: None,
    })
}

#[derive(Debug, Default)]
struct State {
    /// The last one signs; all are in the metadata.
    certificates: Vec<Arc<Certificate>>,
    rotations: usize,
    providers: BTreeMap<String, ServiceProvider>,
    last: Option<String>,
}

pub(crate) struct Saml {
    base: Base,
    state: Mutex<State>,
}

impl Saml {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn id(&self) -> String {
        format!("_{}", fresh(&*self.base.rng, 32))
    }
    fn entity(&self) -> String {
        format!("{}/metadata", self.base.url)
    }
    fn certificate(&self) -> Arc<Certificate> {
        let state = self.state();
        state
            .certificates
            .last()
            .cloned()
            .expect("there is always a signing certificate")
    }

    fn metadata(&self) -> String {
        let state = self.state();
        let mut role = Element::new("md:IDPSSODescriptor")
            .attr("WantAuthnRequestsSigned", "false")
            .attr("protocolSupportEnumeration", "urn:oasis:names:tc:SAML:2.0:protocol");
        for certificate in &state.certificates {
            let key = Element::new("md:KeyDescriptor")
                .attr("use", "signing")
                .child(sign::key_info(certificate));
            role = role.child(key);
        }
        let at = |name, binding: &str, path: &str| {
            Element::new(name)
                .attr("Binding", binding)
                .attr("Location", format!("{}{path}", self.base.url))
        };
        for binding in BINDINGS {
            role = role.child(at("md:SingleLogoutService", binding, "/slo"));
        }
        role = role.child(Element::text("md:NameIDFormat", PERSISTENT));
        for binding in BINDINGS {
            role = role.child(at("md:SingleSignOnService", binding, "/sso"));
        }
        Element::new("md:EntityDescriptor")
            .attr("entityID", self.entity())
            .child(role)
            .document()
    }

    /// A form that carries the response to the service provider.
    fn send(&self, who: &str, asked: &Asked, relay: Option<&str>, armed: &Armed) -> Reply {
        let response = self.response(people::find(who), asked, armed);
        let packed = STANDARD.encode(&response);
        self.state().last = Some(response);
        let relay = relay.map(|r| format!("<input type=\"hidden\" name=\"RelayState\" value=\"{}\">", escape(r)));
        let form = format!(
            "<form method=\"post\" action=\"{}\"><input type=\"hidden\" name=\"SAMLResponse\" value=\"{packed}\">{}\
             <button>Continue · 继续</button></form><script>document.forms[0].submit()</script>",
            escape(&asked.acs),
            relay.unwrap_or_default()
        );
        Reply::html(200, page::document("Signing in · 正在登录", &form))
    }

    fn sign_on(&self, call: &Call, armed: &Armed) -> Reply {
        let mut fields = call.query();
        fields.0.extend(call.form().0);
        let request = match request::read(call, &fields) {
            Ok(request) if request.kind == "AuthnRequest" => request,
            Ok(_) => return refused("not an AuthnRequest"),
            Err(why) => return refused(why),
        };
        let known = self.state().providers.get(&request.issuer).cloned();
        let Some(acs) = request.acs.clone().or_else(|| known.map(|k| k.acs)) else {
            return refused("no AssertionConsumerServiceURL, and the service provider is not registered at /sp");
        };
        if !acs.starts_with("http") {
            return refused("AssertionConsumerServiceURL is no http address");
        }
        let asked = Asked {
            acs,
            audience: request.issuer,
            in_response_to: Some(request.id),
            name_format: request.name_format,
        };
        self.ask(call, &fields, &asked, request.passive, armed)
    }

    /// Asks who it is, unless that is known.
    fn ask(&self, call: &Call, fields: &Fields, asked: &Asked, passive: bool, armed: &Armed) -> Reply {
        let relay = fields.some("RelayState");
        let who = match (fields.some("choice"), fields.some("auto")) {
            (Some(choice), _) => choice.to_owned(),
            (None, Some(who)) => who.to_owned(),
            (None, None) if armed.on("auto") => "alice".to_owned(),
            (None, None) if passive => "deny".to_owned(),
            (None, None) => {
                // What came by form is carried on in the address, deflated as an address wants it.
                let again = if call.method == Method::GET {
                    call.target()
                } else {
                    carried(call, fields)
                };
                let mut options: Vec<_> = PEOPLE.iter().map(|p| (p.name, p.name)).collect();
                options.push(("deny", "Cancel · 取消"));
                let form = page::choices(&again, &options);
                return Reply::html(200, page::document("Who are you? · 请选择登录身份", &form));
            }
        };
        self.send(&who, asked, relay, armed)
    }

    fn logout(&self, call: &Call, armed: &Armed) -> Reply {
        let mut fields = call.query();
        fields.0.extend(call.form().0);
        if fields.some("SAMLResponse").is_some() {
            return Reply::html(200, page::document("Signed out · 已退出", ""));
        }
        let request = match request::read(call, &fields) {
            Ok(request) if request.kind == "LogoutRequest" => request,
            Ok(_) => return refused("not a LogoutRequest"),
            Err(why) => return refused(why),
        };
        let slo = self.state().providers.get(&request.issuer).and_then(|p| p.slo.clone());
        let Some(slo) = slo else {
            return refused("POST the service provider's metadata to /sp first: its logout address is not known");
        };
        let document = self.logout_response(&slo, &request.id);
        let key = &self.certificate().key;
        let query = sign::redirect_query("SAMLResponse", &document, fields.some("RelayState"), key, armed);
        let joint = if slo.contains('?') { '&' } else { '?' };
        Reply::redirect(&format!("{slo}{joint}{query}"))
    }
}

fn refused(why: &str) -> Reply {
    Reply::html(
        400,
        page::document("Refused · 已拒绝", &format!("<p>{}</p>", escape(why))),
    )
}

fn carried(call: &Call, fields: &Fields) -> String {
    use std::io::Write as _;
    let plain = STANDARD.decode(fields.get("SAMLRequest")).unwrap_or_default();
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    let written = encoder.write_all(&plain);
    let deflated = written.and_then(|()| encoder.finish()).unwrap_or_default();
    let request = STANDARD.encode(deflated);
    crate::wire::append_query(
        &call.path,
        &[("SAMLRequest", &request), ("RelayState", fields.get("RelayState"))],
    )
}

impl Counterpart for Saml {
    fn handle(&self, call: &Call, armed: &Armed) -> Reply {
        match (call.method.as_str(), call.path.as_str()) {
            ("GET", "/metadata") => Reply::new(200, "application/samlmetadata+xml", self.metadata()),
            ("GET" | "POST", "/sso") => self.sign_on(call, armed),
            ("GET" | "POST", "/start") => {
                let mut fields = call.query();
                fields.0.extend(call.form().0);
                let asked = Asked {
                    acs: fields.get("acs").to_owned(),
                    audience: fields.get("audience").to_owned(),
                    ..Asked::default()
                };
                if !asked.acs.starts_with("http") || asked.audience.is_empty() {
                    return refused("acs (an http address) and audience are needed");
                }
                self.ask(call, &fields, &asked, false, armed)
            }
            ("GET" | "POST", "/slo") => self.logout(call, armed),
            ("POST", "/sp") => match request::service_provider(&call.body) {
                Some(provider) => {
                    let shown = json!({"entity_id": provider.entity, "acs": provider.acs, "slo": provider.slo});
                    self.state().providers.insert(provider.entity.clone(), provider);
                    Reply::json(200, &shown)
                }
                None => refused("that is no metadata of a service provider with an ACS by HTTP-POST"),
            },
            _ => Reply::new(404, "text/plain", "no such endpoint"),
        }
    }

    fn deliver(&self, what: &Value, armed: &Armed) -> Result<Vec<Notice>, Refusal> {
        let text = |name: &str| what[name].as_str().unwrap_or_default();
        let missing = |field: &'static str, hint: &str| Refusal {
            field: Some(field),
            ..Refusal::new(400, "field_missing", format!("{field} is missing"), hint)
        };
        if text("to").is_empty() {
            return Err(missing("to", "the assertion consumer or logout address"));
        }
        let (field, document) = match text("kind") {
            "unsolicited" => {
                if text("audience").is_empty() {
                    return Err(missing("audience", "the entity id of the service provider"));
                }
                let asked = Asked {
                    acs: text("to").to_owned(),
                    audience: text("audience").to_owned(),
                    in_response_to: what["in_response_to"].as_str().map(str::to_owned),
                    name_format: None,
                };
                let who = what["as"].as_str().unwrap_or("alice");
                let document = self.response(people::find(who), &asked, armed);
                self.state().last = Some(document.clone());
                ("SAMLResponse", document)
            }
            "replay" => {
                let last = self.state().last.clone();
                let hint = "sign in first, or deliver unsolicited";
                (
                    "SAMLResponse",
                    last.ok_or_else(|| Refusal::not_now("there was no response yet", hint))?,
                )
            }
            "logout" => {
                let name = what["name_id"].as_str().unwrap_or(PEOPLE[0].sub);
                (
                    "SAMLRequest",
                    self.logout_request(text("to"), name, what["session_index"].as_str(), armed),
                )
            }
            _ => return Err(Refusal::unknown_kind(&what["kind"], "unsolicited, replay, logout")),
        };
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.append_pair(field, &STANDARD.encode(document));
        if let Some(relay) = what["relay_state"].as_str() {
            body.append_pair("RelayState", relay);
        }
        Ok(vec![Notice {
            kind: text("kind").to_owned(),
            to: None,
            method: Method::POST,
            headers: vec![("content-type", "application/x-www-form-urlencoded".into())],
            body: body.finish().into_bytes(),
            acknowledged: Acknowledged::By2xx,
        }])
    }

    fn rotate(&self, how: Rotation) {
        let number = {
            let mut state = self.state();
            state.rotations += 1;
            state.rotations
        };
        let next = Arc::new(certificate(&self.base, number));
        let mut state = self.state();
        if how == Rotation::Abrupt {
            state.certificates.clear();
        }
        state.certificates.push(next);
    }

    fn reset(&self) {
        let mut state = self.state();
        state.providers.clear();
        state.last = None;
    }

    fn state(&self) -> Value {
        let state = self.state();
        json!({"people": PEOPLE.iter().map(people::Person::claims).collect::<Vec<_>>(),
            "certificates": state.certificates.iter().map(|c| c.pem()).collect::<Vec<_>>(),
            "service_providers": state.providers.keys().collect::<Vec<_>>(), "last_response": state.last})
    }
}
