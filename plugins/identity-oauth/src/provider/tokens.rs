//! The token endpoint: exchanging the code, authenticated in the strongest way both sides can.

use crate::config::{CLIENT_KEY, CLIENT_SECRET, ClientAuth, Config, Preset};
use crate::flow::authorize::Pending;
use crate::provider::discovery::Metadata;
use crate::provider::fetch;
use crate::token::jose;
use aistack_sdk::form::{Form, encode_component};
use aistack_sdk::host::{Credential, Secret};
use aistack_sdk::{Fault, Host, HttpRequest, HttpResponse, Kind};
use serde_json::{Value, json};

/// How long an assertion is good.
const ASSERTION_S: u64 = 60;

/// What the provider issued.
pub(crate) struct Tokens {
    pub(crate) id_token: String,
    pub(crate) access_token: Option<String>,
}

/// Exchanges the code.
pub(crate) fn exchange(
    host: &Host,
    config: &Config,
    metadata: &Metadata,
    pending: &Pending,
    code: &str,
) -> Result<Tokens, Fault> {
    let form = Form::new()
        .with("grant_type", "authorization_code")
        .with("code", code)
        .with("redirect_uri", &pending.redirect_uri)
        .with("code_verifier", &pending.verifier);
    let answer = match choose(host, config, metadata)? {
        ClientAuth::ClientSecretBasic => {
            let secret = host.secret(CLIENT_SECRET)?;
            // RFC 6749 §2.3.1: name and secret are form-encoded first. The secret is the host's to send, as it is.
            let user = encode_component(&config.client_id);
            post(host, config, metadata, form, Credential::Basic(&user, &secret))?
        }
        ClientAuth::ClientSecretPost => {
            let secret = host.secret(CLIENT_SECRET)?;
            let form = form.with("client_id", &config.client_id);
            post(host, config, metadata, form, Credential::Form("client_secret", &secret))?
        }
        ClientAuth::PrivateKeyJwt => {
            let assertion = assertion(host, config, metadata, &host.secret(CLIENT_KEY)?)?;
            let form = form
                .with("client_id", &config.client_id)
                .with(
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                )
                .with("client_assertion", assertion);
            post(host, config, metadata, form, Credential::None)?
        }
        ClientAuth::None | ClientAuth::Auto => post(
            host,
            config,
            metadata,
            form.with("client_id", &config.client_id),
            Credential::None,
        )?,
    };
    read(&answer)
}

fn post(
    host: &Host,
    config: &Config,
    metadata: &Metadata,
    form: Form,
    credential: Credential<'_>,
) -> Result<HttpResponse, Fault> {
    let request =
        HttpRequest::post_form(&metadata.token_endpoint, form.encode()).with_header("accept", "application/json");
    fetch::send(host, config, "token endpoint", &request, credential)
}

/// The way to authenticate: what is configured, or the best of what the provider offers and what there is a secret for.
/// A secret in the form comes before one in the header, because only there it is encoded unambiguously.
pub(crate) fn choose(host: &Host, config: &Config, metadata: &Metadata) -> Result<ClientAuth, Fault> {
    use ClientAuth::{Auto, ClientSecretBasic, ClientSecretPost, None, PrivateKeyJwt};
    let offered = |method: ClientAuth| match &metadata.token_endpoint_auth_methods_supported {
        Some(methods) => methods.iter().any(|m| m == method.name()),
        // The default of discovery.
        Option::None => method == ClientSecretBasic,
    };
    let has = |name: &str| match host.secret_versions(name) {
        Ok(versions) => Ok(!versions.is_empty()),
        Err(fault) if fault.kind == Kind::NotFound => Ok(false),
        Err(fault) => Err(fault),
    };
    let (secret, key) = (has(CLIENT_SECRET)?, has(CLIENT_KEY)?);
    let chosen = match config.client_authentication {
        Auto if key && offered(PrivateKeyJwt) => PrivateKeyJwt,
        Auto if secret && offered(ClientSecretPost) => ClientSecretPost,
        Auto if secret && offered(ClientSecretBasic) => ClientSecretBasic,
        Auto if key || secret => {
            let message = "the provider offers no client authentication for which there is a secret";
            return Err(Fault::invalid_config("client_authentication_not_offered", message));
        }
        // A public client has nothing to prove itself with; metadata often leaves `none` out.
        Auto => None,
        configured => configured,
    };
    let missing = match chosen {
        ClientSecretBasic | ClientSecretPost if !secret => Some(CLIENT_SECRET),
        PrivateKeyJwt if !key => Some(CLIENT_KEY),
        _ => Option::None,
    };
    if let Some(name) = missing {
        return Err(Fault::invalid_config(
            format!("{name}_missing"),
            format!("the secret {name} is not set"),
        ));
    }
    if chosen != None && !offered(chosen) {
        let message = format!("the provider does not offer {}", chosen.name());
        return Err(Fault::invalid_config("client_authentication_not_offered", message));
    }
    Ok(chosen)
}

/// A signed statement of who we are (RFC 7523). Its audience is the issuer alone, so that no other server can use it;
/// Microsoft wants its token endpoint there.
fn assertion(host: &Host, config: &Config, metadata: &Metadata, key: &Secret) -> Result<String, Fault> {
    let audience = if config.provider == Preset::Microsoft {
        &metadata.token_endpoint
    } else {
        &metadata.issuer
    };
    let now = host.now_ms() / 1000;
    let mut header = json!({"alg": config.client_key_alg, "typ": "JWT"});
    if !config.client_key_id.is_empty() {
        header["kid"] = json!(config.client_key_id);
    }
    let payload = json!({
        "iss": config.client_id,
        "sub": config.client_id,
        "aud": audience,
        "jti": jose::base64url(&host.random::<16>()),
        "iat": now,
        "nbf": now,
        "exp": now + ASSERTION_S,
    });
    let signed = format!(
        "{}.{}",
        jose::base64url(header.to_string().as_bytes()),
        jose::base64url(payload.to_string().as_bytes())
    );
    let signature = host.sign(&config.client_key_alg, key, signed.as_bytes())?;
    Ok(format!("{signed}.{}", jose::base64url(&signature)))
}

fn read(answer: &HttpResponse) -> Result<Tokens, Fault> {
    let body = fetch::body("token endpoint", answer);
    if answer.status != 200 {
        return Err(refusal(answer.status, &body.unwrap_or_default()));
    }
    let body = body?;
    let text = |name: &str| body[name].as_str().filter(|t| !t.is_empty()).map(str::to_owned);
    if !text("token_type").is_some_and(|t| t.eq_ignore_ascii_case("bearer")) {
        return Err(Fault::provider(
            "token_type_unknown",
            "token endpoint: the token type is not Bearer",
        ));
    }
    let Some(id_token) = text("id_token") else {
        return Err(Fault::provider(
            "id_token_missing",
            "token endpoint: there is no ID token; is the scope openid granted?",
        ));
    };
    Ok(Tokens {
        id_token,
        access_token: text("access_token").filter(|t| t.bytes().all(|b| b.is_ascii_graphic())),
    })
}

/// An error answer of a token endpoint (RFC 6749 §5.2).
pub(crate) fn refusal(status: u16, body: &Value) -> Fault {
    let error = body["error"].as_str().unwrap_or_default();
    let more = body["error_description"].as_str().unwrap_or_default();
    let message = format!(
        "token endpoint: {status} {}: {}",
        fetch::excerpt(error),
        fetch::excerpt(more)
    );
    match error {
        "invalid_grant" | "bad_verification_code" => Fault::expired("code_rejected", message),
        "invalid_client" | "unauthorized_client" | "incorrect_client_credentials" => {
            Fault::invalid_config("client_rejected", message)
        }
        "invalid_request" | "invalid_scope" | "unsupported_grant_type" | "redirect_uri_mismatch" => {
            Fault::invalid_config("idp_refused", message)
        }
        _ if status == 401 => Fault::invalid_config("client_rejected", message),
        _ => Fault::provider("token_endpoint_error", message),
    }
}
