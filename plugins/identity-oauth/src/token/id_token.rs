//! Verifying the ID token (OpenID Connect Core §3.1.3.7): signature first, then every claim that says for whom, from whom,
//! when and in answer to what it was issued.

use crate::config::Config;
use crate::flow::authorize::Pending;
use crate::provider::discovery::Metadata;
use crate::provider::tokens::Tokens;
use crate::token::jose::{self, Token};
use crate::token::keys;
use aistack_sdk::{Fault, Host};
use serde_json::Value;

/// How far clocks may be apart, in seconds.
const SKEW_S: i64 = 60;

/// Returns the claims, proven.
pub(crate) fn verify(
    host: &Host,
    config: &Config,
    metadata: &Metadata,
    pending: &Pending,
    tokens: &Tokens,
    code: &str,
) -> Result<Value, Fault> {
    let allowed = allowed(config, metadata);
    let token = Token::parse(&tokens.id_token, &allowed)?;
    let key = keys::verify(host, config, metadata, &token)?;
    issuer(config, &token.claims, &key)?;
    audience(config, &token.claims)?;
    let now = i64::try_from(host.now_ms() / 1000).unwrap_or(i64::MAX);
    times(&token.claims, now)?;
    nonce(pending, &token.claims)?;
    authentication_time(pending, &token.claims, now)?;
    authentication_context(config, &token.claims)?;
    if let Some(access) = &tokens.access_token {
        half_hash(host, &token, "at_hash", access)?;
    }
    half_hash(host, &token, "c_hash", code)?;
    subject(&token.claims)?;
    Ok(token.claims)
}

/// The algorithms that are accepted: ours, those of the configuration, those the provider says it uses.
pub(crate) fn allowed(config: &Config, metadata: &Metadata) -> Vec<&'static str> {
    let configured = |alg: &&str| config.signing_algorithms.iter().any(|a| a == alg);
    let stated = |alg: &&str| {
        metadata
            .id_token_signing_alg_values_supported
            .as_ref()
            .is_none_or(|all| all.iter().any(|a| a == alg))
    };
    jose::ALGORITHMS.into_iter().filter(configured).filter(stated).collect()
}

fn refused(code: &str, message: impl Into<String>) -> Fault {
    Fault::denied(code, message)
}

/// The issuer, exactly. Microsoft's keys may be bound to an issuer themselves.
fn issuer(config: &Config, claims: &Value, key: &Value) -> Result<(), Fault> {
    let expected = config.expected_issuer().of_token(claims["tid"].as_str());
    if expected.is_none() || claims["iss"].as_str() != expected.as_deref() {
        return Err(refused("id_token_issuer", "the ID token was issued by somebody else"));
    }
    if let (Some(bound), Some(tid)) = (key["issuer"].as_str(), claims["tid"].as_str())
        && claims["iss"].as_str() != Some(bound.replace("{tenantid}", tid).as_str())
    {
        return Err(refused(
            "key_issuer",
            "the ID token was signed by a key of another issuer",
        ));
    }
    Ok(())
}

/// We are among the audiences; when there are several, or when the token says so, we are also whom it was issued to.
fn audience(config: &Config, claims: &Value) -> Result<(), Fault> {
    let wrong = || refused("id_token_audience", "the ID token is meant for somebody else");
    let several = match &claims["aud"] {
        Value::String(only) if *only == config.client_id => false,
        Value::Array(all) if all.iter().all(Value::is_string) && all.iter().any(|a| *a == config.client_id) => {
            all.len() > 1
        }
        _ => return Err(wrong()),
    };
    match claims.get("azp") {
        None if several => Err(refused(
            "id_token_azp",
            "the ID token has several audiences and no authorized party",
        )),
        None => Ok(()),
        Some(azp) if *azp == config.client_id => Ok(()),
        Some(_) => Err(refused("id_token_azp", "the ID token was issued to somebody else")),
    }
}

fn times(claims: &Value, now: i64) -> Result<(), Fault> {
    let Some(until) = date(claims, "exp")? else {
        return Err(refused("id_token_malformed_time", "the ID token has no exp"));
    };
    if now - SKEW_S >= until {
        return Err(Fault::expired("id_token_expired", "the ID token has expired"));
    }
    let Some(issued) = date(claims, "iat")? else {
        return Err(refused("id_token_malformed_time", "the ID token has no iat"));
    };
    if issued > now + SKEW_S {
        return Err(refused(
            "id_token_from_the_future",
            "the ID token was issued in the future; are the clocks right?",
        ));
    }
    if date(claims, "nbf")?.is_some_and(|from| from > now + SKEW_S) {
        return Err(refused("id_token_not_yet_valid", "the ID token is not valid yet"));
    }
    Ok(())
}

/// A NumericDate in whole seconds. Nothing when it is absent; a fault when it is anything but a sane number.
fn date(claims: &Value, name: &str) -> Result<Option<i64>, Fault> {
    let malformed = || refused("id_token_malformed_time", format!("{name} is not a time"));
    let Some(value) = claims.get(name) else { return Ok(None) };
    if let Some(seconds) = value.as_i64().filter(|s| (0..=253_402_300_799).contains(s)) {
        return Ok(Some(seconds));
    }
    match value.as_f64() {
        // Checked to be in range; the fraction is dropped on purpose.
        #[allow(
            clippy::cast_possible_truncation,
            reason = "in range, and fractions of a second do not matter here"
        )]
        Some(seconds) if value.is_f64() && (0.0..=253_402_300_799.0).contains(&seconds) => Ok(Some(seconds as i64)),
        _ => Err(malformed()),
    }
}

fn nonce(pending: &Pending, claims: &Value) -> Result<(), Fault> {
    if claims["nonce"].as_str() == Some(pending.nonce.as_str()) {
        return Ok(());
    }
    Err(refused("nonce_mismatch", "the ID token belongs to another sign-in"))
}

fn authentication_time(pending: &Pending, claims: &Value, now: i64) -> Result<(), Fault> {
    let at = date(claims, "auth_time")?;
    let Some(max_age) = pending.max_age else { return Ok(()) };
    let Some(at) = at else {
        return Err(refused(
            "auth_time_missing",
            "a recent authentication was asked for; the ID token does not say when",
        ));
    };
    let max_age = i64::try_from(max_age).unwrap_or(i64::MAX);
    if now - at > max_age.saturating_add(SKEW_S) {
        return Err(refused(
            "auth_time_too_old",
            "the authentication at the provider is too old",
        ));
    }
    Ok(())
}

/// When an authentication context was asked for, one of them has to come back: the request parameter is only a wish.
fn authentication_context(config: &Config, claims: &Value) -> Result<(), Fault> {
    let mut asked = config.acr_values.split_whitespace().peekable();
    if asked.peek().is_none() || asked.any(|acr| claims["acr"] == acr) {
        return Ok(());
    }
    Err(refused(
        "policy_denied",
        "the authentication context is not one of those that were asked for",
    ))
}

/// `at_hash` and `c_hash` bind access token and code to the ID token; absent they say nothing, present they have to fit.
fn half_hash(host: &Host, token: &Token<'_>, name: &str, of: &str) -> Result<(), Fault> {
    let Some(said) = token.claims.get(name) else {
        return Ok(());
    };
    if said.as_str() == Some(jose::half_hash(host, token.alg, of)?.as_str()) {
        return Ok(());
    }
    Err(refused(
        &format!("{name}_mismatch"),
        format!("{name} does not fit: the tokens do not belong together"),
    ))
}

fn subject(claims: &Value) -> Result<(), Fault> {
    let fine =
        |sub: &str| !sub.is_empty() && sub.len() <= 255 && sub.trim() == sub && !sub.chars().any(char::is_control);
    if claims["sub"].as_str().is_some_and(fine) {
        return Ok(());
    }
    Err(refused("subject_invalid", "the ID token has no usable sub"))
}
