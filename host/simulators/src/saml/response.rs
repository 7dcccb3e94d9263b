//! Responses and assertions, right ones and those that have to be refused.

use super::Saml;
use super::sign::enveloped;
use super::xml::{Element, Node};
use crate::material::people::Person;
use crate::shell::faults::Armed;
use aistack_core::Timestamp;

pub(super) const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
const EMAIL: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
/// How long an assertion is good, in seconds.
const GOOD_S: i64 = 300;

/// For whom a response is made.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    pub(super) acs: String,
    pub(super) audience: String,
    /// Nothing for an unsolicited response.
    pub(super) in_response_to: Option<String>,
    pub(super) name_format: Option<String>,
}

fn time(seconds: i64) -> String {
    Timestamp::from_secs(seconds).to_string()
}

impl Saml {
    /// A response about somebody; nobody when they said no.
    pub(super) fn response(&self, person: Option<&Person>, asked: &Asked, armed: &Armed) -> String {
        let now = self.base.clock.now().as_secs() - if armed.on("stale") { 7200 } else { 0 };
        let asked = self.bent(asked, armed);
        let certificate = self.certificate();
        let success = person.is_some();
        let status = if success { "Success" } else { "Responder" };
        let mut code =
            Element::new("samlp:StatusCode").attr("Value", format!("urn:oasis:names:tc:SAML:2.0:status:{status}"));
        if !success {
            let denied = "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed";
            code = code.child(Element::new("samlp:StatusCode").attr("Value", denied));
        }
        let mut response = Element::new("samlp:Response")
            .attr("ID", self.id())
            .attr("Version", "2.0")
            .attr("IssueInstant", time(now))
            .attr("Destination", &*asked.acs)
            .some("InResponseTo", asked.in_response_to.as_deref())
            .child(Element::text("saml:Issuer", &self.entity()))
            .child(Element::new("samlp:Status").child(code));
        if let Some(person) = person {
            let assertion = self.assertion(person, &asked, now, armed);
            let unsigned = armed.on("unsigned") || armed.on("response_only");
            let assertion = if unsigned {
                assertion
            } else {
                enveloped(assertion, &certificate, armed)
            };
            if armed.on("wrapped") {
                // Another assertion about somebody else, unsigned, where a careless reader looks first.
                let other = Person {
                    sub: "sim-9999",
                    email: "ceo@example.test",
                    ..crate::material::people::PEOPLE[0]
                };
                response = response.child(self.assertion(&other, &asked, now, armed));
            }
            response = response.child(assertion);
        }
        if armed.on("sign_both") || armed.on("response_only") {
            response = enveloped(response, &certificate, armed);
        }
        response.document()
    }

    fn bent(&self, asked: &Asked, armed: &Armed) -> Asked {
        let mut asked = asked.clone();
        if armed.on("wrong_audience") {
            asked.audience = "https://somebody-else.example".to_owned();
        }
        if armed.on("wrong_destination") {
            asked.acs = "https://somebody-else.example/acs".to_owned();
        }
        if armed.on("wrong_in_response_to") {
            asked.in_response_to = Some(self.id());
        }
        asked
    }

    fn assertion(&self, person: &Person, asked: &Asked, now: i64, armed: &Armed) -> Element {
        let email = asked.name_format.as_deref() == Some(EMAIL);
        let (format, name) = if email {
            (EMAIL, person.email)
        } else {
            (PERSISTENT, person.sub)
        };
        let mut name_id = Element::new("saml:NameID").attr("Format", format);
        if armed.on("comment_in_name") {
            let (first, rest) = name.split_at(name.len() - 2);
            name_id = name_id
                .node(Node::Text(first.into()))
                .node(Node::Comment(" "))
                .node(Node::Text(rest.into()));
        } else {
            name_id = name_id.node(Node::Text(name.into()));
        }
        let until = time(now + GOOD_S);
        let data = Element::new("saml:SubjectConfirmationData")
            .attr("NotOnOrAfter", &*until)
            .attr("Recipient", &*asked.acs)
            .some("InResponseTo", asked.in_response_to.as_deref());
        let bearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
        let subject = Element::new("saml:Subject").child(name_id).child(
            Element::new("saml:SubjectConfirmation")
                .attr("Method", bearer)
                .child(data),
        );
        let audience = Element::new("saml:AudienceRestriction").child(Element::text("saml:Audience", &asked.audience));
        let conditions = Element::new("saml:Conditions")
            .attr("NotBefore", time(now - 5))
            .attr("NotOnOrAfter", &*until)
            .child(audience);
        let class = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
        let authentication = Element::new("saml:AuthnStatement")
            .attr("AuthnInstant", time(now))
            .attr("SessionIndex", self.id())
            .attr("SessionNotOnOrAfter", time(now + 8 * 3600))
            .child(Element::new("saml:AuthnContext").child(Element::text("saml:AuthnContextClassRef", class)));
        let mut attributes = Element::new("saml:AttributeStatement");
        let groups: Vec<&str> = person.groups.to_vec();
        for (name, values) in [
            ("email", vec![person.email]),
            ("displayName", vec![person.full_name]),
            ("uid", vec![person.name]),
            ("groups", groups),
        ] {
            let mut attribute = Element::new("saml:Attribute")
                .attr("Name", name)
                .attr("NameFormat", "urn:oasis:names:tc:SAML:2.0:attrname-format:basic");
            for value in values {
                attribute = attribute.child(Element::text("saml:AttributeValue", value));
            }
            attributes = attributes.child(attribute);
        }
        Element::new("saml:Assertion")
            .attr("ID", self.id())
            .attr("Version", "2.0")
            .attr("IssueInstant", time(now))
            .child(Element::text("saml:Issuer", &self.entity()))
            .child(subject)
            .child(conditions)
            .child(authentication)
            .child(attributes)
    }

    /// A request to sign somebody out, signed.
    pub(super) fn logout_request(&self, to: &str, name: &str, index: Option<&str>, armed: &Armed) -> String {
        let now = self.base.clock.now().as_secs() - if armed.on("stale") { 7200 } else { 0 };
        let mut request = Element::new("samlp:LogoutRequest")
            .attr("ID", self.id())
            .attr("Version", "2.0")
            .attr("IssueInstant", time(now))
            .attr("NotOnOrAfter", time(now + GOOD_S))
            .attr("Destination", to)
            .child(Element::text("saml:Issuer", &self.entity()))
            .child(Element::text("saml:NameID", name).attr("Format", PERSISTENT));
        if let Some(index) = index {
            request = request.child(Element::text("samlp:SessionIndex", index));
        }
        enveloped(request, &self.certificate(), armed).document()
    }

    /// The answer to a request to sign out; signed by the redirect's query, not in itself.
    pub(super) fn logout_response(&self, to: &str, in_response_to: &str) -> String {
        let success = "urn:oasis:names:tc:SAML:2.0:status:Success";
        Element::new("samlp:LogoutResponse")
            .attr("ID", self.id())
            .attr("Version", "2.0")
            .attr("IssueInstant", time(self.base.clock.now().as_secs()))
            .attr("Destination", to)
            .attr("InResponseTo", in_response_to)
            .child(Element::text("saml:Issuer", &self.entity()))
            .child(Element::new("samlp:Status").child(Element::new("samlp:StatusCode").attr("Value", success)))
            .document()
    }
}
