//! From proven claims to a person, as the configuration maps them. Who somebody is, is the issuer's subject; names and
//! addresses only describe.

use crate::config::{Config, EmailTrust, Preset};
use crate::provider::tokens::Tokens;
use aistack_sdk::identity::{Session, User};
use aistack_sdk::{Fault, Host, Pair};
use serde_json::{Map, Value, json};

/// Most groups that are taken.
const MAX_GROUPS: usize = 2000;
/// Longest text that is taken from a claim.
const MAX_TEXT: usize = 1000;

/// The finished sign-in.
pub(crate) fn session(host: &Host, config: &Config, claims: &Value, tokens: &Tokens) -> Result<Session, Fault> {
    let text = |name: &str| claims[name].as_str().map(str::to_owned);
    let tokens = config
        .provider_logout
        .then(|| json!({"id_token": tokens.id_token}).to_string());
    Ok(Session {
        user: user(host, config, claims)?,
        provider_session: text("sid"),
        expires_ms: None,
        acr: text("acr"),
        amr: strings(&claims["amr"]).take(10).collect(),
        tokens,
    })
}

fn user(host: &Host, config: &Config, claims: &Value) -> Result<User, Fault> {
    let issuer = claims["iss"].as_str().unwrap_or_default();
    let sub = claims["sub"].as_str().unwrap_or_default();
    let pair = |key: &str, value: &str| Pair {
        key: key.into(),
        value: value.into(),
    };
    let mut alternate_ids = vec![pair("issuer", issuer)];
    let subject = if config.provider == Preset::Microsoft {
        // `sub` differs from client to client; `oid` is the person in the directory that the issuer names.
        let oid = claims["oid"].as_str().filter(|o| crate::config::is_uuid(o));
        let oid = oid.ok_or_else(|| {
            Fault::denied(
                "subject_invalid",
                "the ID token has no oid; is the scope profile granted?",
            )
        })?;
        alternate_ids.push(pair("sub", sub));
        alternate_ids.push(pair("tid", claims["tid"].as_str().unwrap_or_default()));
        oid
    } else {
        sub
    };
    let email = lookup(claims, &config.email_claim)
        .and_then(short)
        .filter(|e| e.contains('@'));
    let email_verified = email.as_deref().is_some_and(|e| vouched(config, claims, e));
    if claims["_claim_names"].get("groups").is_some() || claims["hasgroups"] == true {
        host.warn(
            "the person is in more groups than fit into the token; none were taken",
            &[("subject", subject)],
        );
    }
    let mut attributes = Map::new();
    for (attribute, claim) in &config.attribute_claims {
        if let Some(value) = lookup(claims, claim) {
            attributes.insert(attribute.clone(), value.clone());
        }
    }
    Ok(User {
        subject: subject.to_owned(),
        alternate_ids,
        username: lookup(claims, &config.username_claim).and_then(short),
        email,
        email_verified,
        phone: lookup(claims, "phone_number").and_then(short),
        display_name: lookup(claims, &config.name_claim).and_then(short),
        avatar: lookup(claims, "picture")
            .and_then(short)
            .filter(|u| u.starts_with("https://")),
        groups: lookup(claims, &config.groups_claim)
            .map(|g| strings(g).take(MAX_GROUPS).collect())
            .unwrap_or_default(),
        attributes: Value::Object(attributes).to_string(),
    })
}

/// Whether the provider vouches for the address.
fn vouched(config: &Config, claims: &Value, email: &str) -> bool {
    let says = |name: &str| match &claims[name] {
        Value::Bool(yes) => *yes,
        Value::String(text) => text == "true" || text == "1",
        Value::Number(n) => n.as_u64() == Some(1),
        _ => false,
    };
    match config.provider {
        // Google vouches for its own addresses and for those of Workspace domains.
        Preset::Google => {
            let domain = email.rsplit('@').next().unwrap_or_default();
            says("email_verified") && (domain.eq_ignore_ascii_case("gmail.com") || claims["hd"].is_string())
        }
        // In Microsoft's directories anybody may write any address, unless the domain owner verified it.
        Preset::Microsoft => says("xms_edov"),
        Preset::Oidc | Preset::Github => config.email_trust == EmailTrust::Always || says("email_verified"),
    }
}

/// A claim by its name, or by a path of names joined with dots when there is none of the whole name.
fn lookup<'a>(claims: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() {
        return None;
    }
    claims
        .get(path)
        .or_else(|| path.split('.').try_fold(claims, |at, name| at.get(name)))
}

fn short(value: &Value) -> Option<String> {
    value
        .as_str()
        .map(str::trim)
        .filter(|t| !t.is_empty() && t.len() <= MAX_TEXT)
        .map(str::to_owned)
}

/// The texts of a list; a single text counts as a list of one.
fn strings(value: &Value) -> impl Iterator<Item = String> + '_ {
    let one = value.as_str().into_iter();
    let many = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    one.chain(many)
        .filter(|t| !t.is_empty() && t.len() <= MAX_TEXT)
        .map(str::to_owned)
}
