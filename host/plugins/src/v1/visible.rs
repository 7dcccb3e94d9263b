//! What of a result anybody outside the host gets to see: it must not contain a secret. State that the host seals and
//! hands back to the plugin alone is left out.

use crate::call::Visible;
use aistack_domain::plugins::port::{
    DirectoryChange, DirectoryPage, Document, ExternalSession, ExternalUser, Feature, Finding, HttpResponse,
    InboundOutcome, JobRun, LoginProgress, LoginStep, Payment, PaymentAction, Refund,
};
use serde_json::Value;

type See<'a> = &'a mut dyn FnMut(&[u8]);

fn text(see: See<'_>, texts: &[&str]) {
    texts.iter().for_each(|t| see(t.as_bytes()));
}

fn maybe(see: See<'_>, text: Option<&String>) {
    if let Some(t) = text {
        see(t.as_bytes());
    }
}

fn pairs(see: See<'_>, pairs: &[(String, String)]) {
    pairs.iter().for_each(|(k, v)| text(see, &[k, v]));
}

impl Visible for Value {
    fn show(&self, see: See<'_>) {
        match self {
            Self::Null | Self::Bool(_) => {}
            Self::Number(n) => see(n.to_string().as_bytes()),
            Self::String(s) => see(s.as_bytes()),
            Self::Array(all) => all.iter().for_each(|v| v.show(see)),
            Self::Object(members) => members.iter().for_each(|(k, v)| {
                see(k.as_bytes());
                v.show(see);
            }),
        }
    }
}

impl Visible for Vec<Feature> {
    fn show(&self, see: See<'_>) {
        for f in self {
            see(f.name.as_bytes());
            f.extra.show(see);
        }
    }
}

impl Visible for Vec<Finding> {
    fn show(&self, see: See<'_>) {
        for f in self {
            maybe(see, f.field.as_ref());
            see(f.message.as_bytes());
        }
    }
}

impl Visible for HttpResponse {
    fn show(&self, see: See<'_>) {
        for (name, value) in &self.headers {
            see(name.as_bytes());
            see(value);
        }
        see(&self.body);
    }
}

impl Visible for InboundOutcome {
    fn show(&self, see: See<'_>) {
        self.ack.show(see);
        self.nack.show(see);
        for e in &self.events {
            text(see, &[&e.id, &e.kind, &e.subject]);
            e.data.show(see);
        }
    }
}

impl Visible for JobRun {
    fn show(&self, see: See<'_>) {
        // The cursor comes back to the plugin alone.
        for e in &self.events {
            text(see, &[&e.id, &e.kind, &e.subject]);
            e.data.show(see);
        }
    }
}

impl Visible for Document {
    fn show(&self, see: See<'_>) {
        see(self.media_type.as_bytes());
        see(&self.body);
    }
}

impl Visible for LoginStep {
    fn show(&self, see: See<'_>) {
        match self {
            Self::Redirect(url) => see(url.as_bytes()),
            Self::FormPost(url, fields) => {
                see(url.as_bytes());
                pairs(see, fields);
            }
            Self::Prompt(fields) => fields.iter().for_each(|f| text(see, &[&f.name, &f.label])),
            Self::Qr(payload, _) => see(payload.as_bytes()),
            Self::Embed(widget, origins) => {
                widget.show(see);
                origins.iter().for_each(|o| see(o.as_bytes()));
            }
            Self::Wait(what, _) => what.show(see),
            Self::Done(session) => session.show(see),
        }
    }
}

impl Visible for Option<LoginStep> {
    fn show(&self, see: See<'_>) {
        if let Some(step) = self {
            step.show(see);
        }
    }
}

impl Visible for LoginProgress {
    fn show(&self, see: See<'_>) {
        self.step.show(see);
    }
}

impl Visible for ExternalUser {
    fn show(&self, see: See<'_>) {
        see(self.subject.as_bytes());
        pairs(see, &self.alternate_ids);
        for t in [
            &self.username,
            &self.email,
            &self.phone,
            &self.display_name,
            &self.avatar,
        ] {
            maybe(see, t.as_ref());
        }
        self.groups.iter().for_each(|t| see(t.as_bytes()));
        self.attributes.show(see);
    }
}

impl Visible for ExternalSession {
    fn show(&self, see: See<'_>) {
        self.user.show(see);
        for t in [&self.provider_session, &self.acr] {
            maybe(see, t.as_ref());
        }
        self.amr.iter().for_each(|t| see(t.as_bytes()));
    }
}

impl Visible for DirectoryPage {
    fn show(&self, see: See<'_>) {
        for change in &self.changes {
            match change {
                DirectoryChange::Person(user, _) => user.show(see),
                DirectoryChange::Gone(subject) => see(subject.as_bytes()),
                DirectoryChange::Groups => {}
            }
        }
    }
}

impl Visible for Payment {
    fn show(&self, see: See<'_>) {
        see(self.provider_ref.as_bytes());
        match &self.action {
            PaymentAction::Redirect(t) | PaymentAction::Qr(t) => see(t.as_bytes()),
            PaymentAction::FormPost(url, fields) => {
                see(url.as_bytes());
                pairs(see, fields);
            }
            PaymentAction::Client(json) => json.show(see),
            PaymentAction::None => {}
        }
        self.raw.show(see);
    }
}

impl Visible for Refund {
    fn show(&self, see: See<'_>) {
        text(see, &[&self.id, &self.reason]);
        maybe(see, self.provider_ref.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Redactor;
    use aistack_core::Timestamp;
    use aistack_domain::plugins::port::Event;

    #[test]
    fn a_secret_is_seen_wherever_a_delivery_could_carry_it() {
        let mut redact = Redactor::default();
        redact.learn("key", b"a-long-secret");
        let answer = |body: &str| HttpResponse {
            status: 200,
            headers: vec![],
            body: body.as_bytes().to_vec(),
        };
        let event = |id: &str, data: Value| Event {
            id: id.to_owned(),
            kind: "k".to_owned(),
            occurred_at: Timestamp::from_millis(0),
            subject: "s".to_owned(),
            data,
        };
        let outcome = |ack: &str, id: &str, data: Value| InboundOutcome {
            ack: answer(ack),
            nack: answer(""),
            events: vec![event(id, data)],
        };
        let secret = "a-long-secret";
        assert!(!redact.occurs_in_result(&outcome("ok", "e", Value::Null)));
        for shows in [
            outcome(secret, "e", Value::Null),
            outcome("ok", secret, Value::Null),
            outcome("ok", "e", serde_json::json!({ "deep": [{ "x": secret }] })),
            outcome("ok", "e", serde_json::json!({ secret: 1 })),
        ] {
            assert!(redact.occurs_in_result(&shows), "{shows:?}");
        }
    }
}
