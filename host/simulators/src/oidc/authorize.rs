//! The authorization endpoint: checks the request, asks who it is (or is told), and sends the browser back with a code.

use super::{Grant, Oidc};
use crate::material::people::{self, PEOPLE};
use crate::shell::faults::Armed;
use crate::shell::page;
use crate::wire::{Call, Fields, Reply, append_query, escape};

impl Oidc {
    pub(super) fn authorize(&self, call: &Call, armed: &Armed) -> Reply {
        let asked = call.query();
        // Whom to send back to has to be certain before anything is sent there.
        if asked.get("client_id") != self.client_id {
            return refused("client_id is not the one of this simulator");
        }
        let redirect_uri = asked.get("redirect_uri");
        if !redirect_uri.starts_with("http") || url::Url::parse(redirect_uri).map_or(true, |u| u.fragment().is_some()) {
            return refused("redirect_uri is missing or no http address without fragment");
        }
        if let Err((code, why)) = check(&asked) {
            return self.back(&asked, &[("error", code), ("error_description", why)], armed);
        }
        let chosen = match call.method.as_str() {
            "POST" => call.form().get("choice").to_owned(),
            _ => self.without_asking(&asked, armed),
        };
        match chosen.as_str() {
            "" if asked.get("prompt") == "none" => {
                let why = "nobody is signed in, and nobody may be asked";
                self.back(
                    &asked,
                    &[("error", "login_required"), ("error_description", why)],
                    armed,
                )
            }
            "" => ask(call),
            "deny" => self.back(
                &asked,
                &[("error", "access_denied"), ("error_description", "the person said no")],
                armed,
            ),
            who => match people::find(who) {
                Some(person) => {
                    let code = self.fresh(32);
                    let grant = Grant {
                        person: person.name,
                        nonce: asked.some("nonce").map(str::to_owned),
                        scope: asked.get("scope").to_owned(),
                        redirect_uri: redirect_uri.to_owned(),
                        challenge: asked.some("code_challenge").map(str::to_owned),
                        acr: asked
                            .get("acr_values")
                            .split(' ')
                            .next()
                            .filter(|a| !a.is_empty())
                            .map(str::to_owned),
                        session: self.fresh(16),
                        at: call.at,
                    };
                    self.state().codes.insert(code.clone(), grant);
                    self.back(&asked, &[("code", &code)], armed)
                }
                None => refused("there is nobody of that name"),
            },
        }
    }

    fn without_asking(&self, asked: &Fields, armed: &Armed) -> String {
        let auto = asked.some("auto").map(str::to_owned);
        let auto = auto.or_else(|| armed.on("auto").then(String::new));
        match auto {
            None => String::new(),
            Some(who) if !who.is_empty() && people::find(&who).is_some() => who,
            Some(_) => people::find(asked.get("login_hint"))
                .map_or("alice", |p| p.name)
                .to_owned(),
        }
    }

    fn back(&self, asked: &Fields, fields: &[(&str, &str)], armed: &Armed) -> Reply {
        let iss = if armed.on("wrong_iss_parameter") {
            "https://somebody-else.example"
        } else {
            &self.base.url
        };
        let mut fields = fields.to_vec();
        if let Some(state) = asked.some("state") {
            fields.push(("state", state));
        }
        fields.push(("iss", iss));
        let to = asked.get("redirect_uri");
        if asked.get("response_mode") != "form_post" {
            return Reply::redirect(&append_query(to, &fields));
        }
        let inputs: String = fields
            .iter()
            .map(|(n, v)| format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(n), escape(v)))
            .collect();
        let form = format!(
            "<form method=\"post\" action=\"{}\">{inputs}<button>Continue · 继续</button></form>\
             <script>document.forms[0].submit()</script>",
            escape(to)
        );
        Reply::html(200, page::document("Signing in · 正在登录", &form))
    }
}

fn check(asked: &Fields) -> Result<(), (&'static str, &'static str)> {
    if asked.get("response_type") != "code" {
        return Err(("unsupported_response_type", "only code"));
    }
    if !asked.get("scope").split(' ').any(|s| s == "openid") {
        return Err(("invalid_scope", "openid is missing"));
    }
    if !["", "query", "form_post"].contains(&asked.get("response_mode")) {
        return Err(("invalid_request", "only query and form_post"));
    }
    match asked.get("code_challenge_method") {
        "S256" if asked.get("code_challenge").len() == 43 => Ok(()),
        "" if asked.some("code_challenge").is_none() => Ok(()),
        _ => Err(("invalid_request", "only PKCE with S256")),
    }
}

fn ask(call: &Call) -> Reply {
    let action = call.target();
    let mut options: Vec<_> = PEOPLE.iter().map(|p| (p.name, p.name)).collect();
    options.push(("deny", "Cancel · 取消"));
    Reply::html(
        200,
        page::document("Who are you? · 请选择登录身份", &page::choices(&action, &options)),
    )
}

fn refused(why: &str) -> Reply {
    Reply::html(
        400,
        page::document("Refused · 已拒绝", &format!("<p>{}</p>", escape(why))),
    )
}
