//! "Test connection": what an administrator wants to know before the first person tries to sign in.

use crate::config::{Config, Preset};
use crate::provider::discovery::{self, Metadata};
use crate::provider::tokens;
use crate::token::id_token;
use crate::token::keys;
use aistack_sdk::{Context, Fault, Finding, Host, HttpRequest};

pub(crate) fn check(host: &Host, _ctx: &Context, deep: bool) -> Vec<Finding> {
    let config = match Config::load(host) {
        Ok(config) => config,
        Err(fault) => return vec![failed(&fault)],
    };
    let mut findings = vec![Finding::ok("the configuration is complete")];
    if config.provider != Preset::Github && config.issuer.starts_with("http://") {
        let message = "the issuer is plain http: anybody on the way can sign in as anybody. For tests only";
        findings.push(Finding::ok(message).at("/issuer"));
    }
    if !deep {
        return findings;
    }
    if config.provider == Preset::Github {
        findings.push(github(host, &config));
    } else {
        openid(host, &config, &mut findings);
    }
    findings
}

fn failed(fault: &Fault) -> Finding {
    let finding = Finding::problem(format!("{}: {}", fault.code, fault.message));
    match fault.code.as_str() {
        "issuer_missing" | "issuer_mismatch" | "metadata_invalid" => finding.at("/issuer"),
        "client_id_missing" => finding.at("/client_id"),
        "client_secret_missing" => finding.at("/client_secret"),
        "client_key_missing" => finding.at("/client_key"),
        "allowed_tenants_missing" => finding.at("/allowed_tenants"),
        "client_authentication_not_offered" => finding.at("/client_authentication"),
        "host_not_granted" => finding.at("/endpoint_hosts"),
        _ => finding,
    }
}

fn openid(host: &Host, config: &Config, findings: &mut Vec<Finding>) {
    // Not from the cache: what counts is how it is now.
    let metadata = match discovery::fetch(host, config) {
        Ok(metadata) => metadata,
        Err(fault) => return findings.push(failed(&fault)),
    };
    findings.push(Finding::ok(format!("discovery: the issuer is {}", metadata.issuer)).at("/issuer"));
    findings.push(signatures(config, &metadata));
    findings.push(pkce(&metadata));
    findings.push(match keys::fetch_keys(host, config, &metadata) {
        Ok(keys) if keys.is_empty() => Finding::problem("the key set is empty"),
        Ok(keys) => Finding::ok(format!("the key set has {} keys", keys.len())),
        Err(fault) => failed(&fault),
    });
    findings.push(match tokens::choose(host, config, &metadata) {
        Ok(method) => Finding::ok(format!("client authentication: {}", method.name())),
        Err(fault) => failed(&fault),
    });
    if config.userinfo && metadata.userinfo_endpoint.is_none() {
        findings.push(Finding::problem("the provider has no user information endpoint").at("/userinfo"));
    }
    let iss = metadata.authorization_response_iss_parameter_supported;
    findings.push(Finding::ok(format!(
        "the provider names itself in responses (RFC 9207): {}",
        yes(iss)
    )));
    let logout = metadata.end_session_endpoint.is_some();
    findings.push(Finding::ok(format!("the provider offers sign-out: {}", yes(logout))));
}

fn yes(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

fn signatures(config: &Config, metadata: &Metadata) -> Finding {
    let allowed = id_token::allowed(config, metadata);
    if allowed.is_empty() {
        return Finding::problem("none of the provider's signature algorithms is accepted").at("/signing_algorithms");
    }
    Finding::ok(format!("accepted signatures: {}", allowed.join(", ")))
}

fn pkce(metadata: &Metadata) -> Finding {
    match &metadata.code_challenge_methods_supported {
        Some(methods) if methods.iter().any(|m| m == "S256") => Finding::ok("PKCE: S256"),
        // Providers ignore what they don't know; the code is then protected by state, nonce and client authentication.
        _ => Finding::ok("PKCE: the provider does not say that it knows S256; it is sent all the same"),
    }
}

/// GitHub has nothing to discover; its API is asked whether it is there.
fn github(host: &Host, config: &Config) -> Finding {
    if let Err(fault) = host.secret_versions(crate::config::CLIENT_SECRET) {
        return Finding::problem(format!("client_secret: {}", fault.message)).at("/client_secret");
    }
    let request = HttpRequest::get(format!("{}/meta", config.github_api_url));
    match crate::provider::fetch::get_json(host, config, "GitHub API", request) {
        Ok(_) => Finding::ok("GitHub answers"),
        Err(fault) => failed(&fault).at("/github_api_url"),
    }
}
