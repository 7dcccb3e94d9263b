//! The suite of the identity-provider world.

use super::{
    Suite, Trouble, Verdict, ensure,
    stage::{Stage, agrees, features, of_kind, well_formed},
};
use aistack_domain::plugins::port::{Fault, FaultKind};
use aistack_plugins::PeerFailure;
use serde_json::{Value, json};

pub(super) async fn run(s: &Suite) {
    s.case("identity.describe.login", "it signs people in, and says so", login(s))
        .await;
    s.case(
        "identity.begin.starts",
        "a sign-in starts, safely and for minutes",
        starts(s),
    )
    .await;
    s.case("identity.begin.distinct", "no two sign-ins look alike", distinct(s))
        .await;
    s.case(
        "identity.begin.unreachable",
        "an unreachable provider is a transport fault",
        unreachable(s),
    )
    .await;
    s.case(
        "identity.return.signs_in",
        "the right return signs the person in",
        signs_in(s),
    )
    .await;
    s.case(
        "identity.return.refused",
        "whatever else comes back is refused",
        returning(s),
    )
    .await;
    s.case(
        "identity.inbound.unknown",
        "deliveries to unknown endpoints are refused",
        unknown_inbound(s),
    )
    .await;
    s.case("identity.documents.no_files", "documents are not files", documents(s))
        .await;
    s.case("identity.jobs.unknown", "unknown jobs are refused", jobs(s))
        .await;
    s.case(
        "identity.directory.agrees",
        "describe and the directory agree",
        directory(s),
    )
    .await;
}

async fn login(s: &Suite) -> Verdict {
    ensure(features(s).await?.iter().any(|f| f == "login"), || {
        "describe does not name \"login\"".to_owned()
    })
}

async fn begin(stage: &Stage<'_>) -> Result<Value, Trouble> {
    stage.works("login.begin", json!({ "user_agent": "conformance" })).await
}

/// The address a step sends the browser to, if it sends it anywhere.
fn address(step: &Value) -> Option<&str> {
    step["redirect"].as_str().or_else(|| step["form_post"]["url"].as_str())
}

async fn starts(s: &Suite) -> Verdict {
    let stage = Stage::new(s)?;
    let begun = begin(&stage).await?;
    let step = &begun["step"];
    ensure(step["done"].is_null(), || {
        "nobody is signed in before anything came back".to_owned()
    })?;
    if let Some(url) = address(step) {
        // In tests against a simulator the provider may be on this machine.
        let safe = url.starts_with("https://") || s.fixtures.network;
        ensure(safe, || format!("the browser is sent to https, not to {url}"))?;
    }
    let expires = begun["expires_s"].as_u64().unwrap_or(0);
    ensure((60..=3600).contains(&expires), || {
        format!("a sign-in waits for minutes, not {expires} s")
    })?;
    stage.discreet(&[])
}

async fn distinct(s: &Suite) -> Verdict {
    let stage = Stage::new(s)?;
    let (one, two) = (begin(&stage).await?, begin(&stage).await?);
    if address(&one["step"]).is_none() {
        return Err(Trouble::Skipped(
            "a sign-in does not start with sending the browser somewhere".to_owned(),
        ));
    }
    ensure(one["step"] != two["step"], || {
        format!("both send the browser to {}", one["step"])
    })?;
    ensure(
        one["state"] != two["state"] || one["state_base64"] != two["state_base64"],
        || "both have the same state".to_owned(),
    )
}

async fn unreachable(s: &Suite) -> Verdict {
    s.peer()?.fail(PeerFailure::Unreachable("cut off".to_owned()));
    let stage = Stage::new(s)?;
    match stage.call("login.begin", Value::Null).await? {
        // Providers without discovery have nothing to ask at this point.
        Ok(_) => Ok(()),
        Err(fault) => {
            of_kind(&fault, &[FaultKind::Transport], "an unreachable provider")?;
            well_formed(&fault)?;
            stage.discreet(&[fault])
        }
    }
}

/// `state=${query.state}` with the parameters of the address.
fn filled(template: &str, address: &str) -> Result<String, Trouble> {
    let mut out = template.to_owned();
    while let Some((before, rest)) = out.split_once("${query.") {
        let (name, after) = rest
            .split_once('}')
            .ok_or_else(|| Trouble::Failed("[sign-in] return: ${query. is not closed".to_owned()))?;
        let url = url::Url::parse(address).map_err(|e| Trouble::Failed(format!("{address}: {e}")))?;
        let value = url.query_pairs().find(|(k, _)| k == name).map(|(_, v)| v.into_owned());
        let value =
            value.ok_or_else(|| Trouble::Failed(format!("the address has no parameter {name:?}: {address}")))?;
        let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        out = format!("{before}{encoded}{after}");
    }
    Ok(out)
}

async fn signs_in(s: &Suite) -> Verdict {
    let Some(facts) = &s.fixtures.sign_in else {
        return Err(Trouble::Skipped("the fixtures have no [sign-in]".to_owned()));
    };
    let stage = Stage::new(s)?;
    let mut begun = begin(&stage).await?;
    let to = address(&begun["step"]).unwrap_or_default().to_owned();
    let query = filled(&facts.back, &to)?;
    let mut arguments = json!({ "input": { "http": { "url": format!("/callback?{query}") } } });
    for name in ["state", "state_base64"] {
        arguments[name] = begun[name].take();
    }
    let done = stage.works("login.resume", arguments).await?;
    let user = &done["step"]["done"]["user"];
    ensure(user["subject"] == facts.subject.as_str(), || {
        format!("it came to {} instead of subject {:?}", done["step"], facts.subject)
    })?;
    stage.discreet(&[])
}

/// Whatever comes back from the browser without being right.
async fn returning(s: &Suite) -> Verdict {
    let stage = Stage::new(s)?;
    let begun = begin(&stage).await?;
    let back = |query: &str| json!({ "http": { "url": format!("/callback?{query}") } });
    let mut own = json!({});
    for name in ["state", "state_base64"] {
        if !begun[name].is_null() {
            own[name] = begun[name].clone();
        }
    }
    let mut faults: Vec<Fault> = Vec::new();
    for (state, input) in [
        (own.clone(), back("")),
        (own.clone(), back("code=stolen")),
        (own.clone(), back("code=stolen&state=")),
        (own.clone(), back("code=stolen&state=wrong")),
        (own.clone(), back("state=%FF%00&code=%00&code=2")),
        (own.clone(), back("error=access_denied")),
        (own.clone(), json!("poll")),
        (own.clone(), json!({ "fields": {} })),
        (json!({ "state": "" }), back("code=1&state=1")),
        (json!({ "state": "{}" }), back("code=1&state=1")),
        (json!({ "state_base64": "//4=" }), back("code=1&state=1")),
    ] {
        let mut arguments = state;
        let what = input.to_string();
        arguments["input"] = input;
        match stage.call("login.resume", arguments).await? {
            Ok(done) => {
                // Asking again is no sign-in; a session is.
                let asks_again = done["step"]["done"].is_null();
                ensure(asks_again, || format!("{what} signed somebody in: {}", done["step"]))?;
            }
            Err(fault) => {
                ensure(fault.kind != FaultKind::Internal, || {
                    format!(
                        "{what} is not the plugin's defect, but the fault says so: {}",
                        stage.told(&fault)
                    )
                })?;
                well_formed(&fault)?;
                faults.push(fault);
            }
        }
    }
    ensure(!faults.is_empty(), || "nothing of it was refused".to_owned())?;
    stage.discreet(&faults)
}

async fn unknown_inbound(s: &Suite) -> Verdict {
    let request = json!({ "method": "POST", "body": "{}" });
    let arguments = json!({ "endpoint": "no-such-endpoint", "request": request });
    Stage::new(s)?
        .refused("inbound.handle", arguments, "an unknown endpoint")
        .await
        .map(drop)
}

pub(super) async fn documents(s: &Suite) -> Verdict {
    Stage::new(s)?
        .refused(
            "documents.get",
            json!({ "name": "../secret" }),
            "a path as a document's name",
        )
        .await
        .map(drop)
}

pub(super) async fn jobs(s: &Suite) -> Verdict {
    Stage::new(s)?
        .refused("jobs.start", json!({ "name": "no-such-job" }), "an unknown job")
        .await
        .map(drop)
}

async fn directory(s: &Suite) -> Verdict {
    let features = features(s).await?;
    let done = Stage::new(s)?.call("directory.sync", json!({ "limit": 10 })).await?;
    agrees("directory", &features, &done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_take_up_parameters_of_the_address() {
        let to = "https://idp.test/authorize?state=a%26b&x=1";
        assert_eq!(
            filled("code=1&state=${query.state}", to).ok().as_deref(),
            Some("code=1&state=a%26b")
        );
        assert!(filled("${query.nope}", to).is_err());
        assert!(filled("${query.state", to).is_err());
    }
}
