//! Step 4: a member signs in through the oauth plugin, with two providers that nobody here wrote.

use super::Story;
use super::plugins::{ALICE, enable_one};
use aistack_tests::actor::Actor;
use aistack_tests::peers::OidcProvider;
use anyhow::{Context as _, ensure};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use url::Url;

/// A member with a session, and with a token made from it.
pub(super) struct Member {
    pub(super) session: Actor,
    pub(super) token: Actor,
}

/// Signs Alice in through Keycloak.
pub(super) async fn with_keycloak(story: &mut Story, installation: &Value) -> anyhow::Result<Member> {
    let visitor = story.host.tenant_visitor("acme");
    let methods = visitor.get("/api/v1/login/methods").await?.ok(200)?;
    let offered = methods["connections"].as_array().context("connections")?;
    ensure!(
        offered.iter().any(|connection| connection["id"] == installation["id"]),
        "{methods}"
    );

    let mut session = log_in(story, &visitor, installation, ALICE.username, ALICE.password).await?;
    let who = session.resume().await?;
    ensure!(
        who["user"]["email"] == ALICE.email && who["user"]["role"] == "member",
        "{who}"
    );
    ensure!(who["user"]["name"] == "Alice 张", "{who}");
    session.get("/api/v1/users").await?.problem(403, "permission_denied")?;

    // Provisioned once: a second sign-in is the same person.
    let again = story.host.tenant_visitor("acme");
    let mut again = log_in(story, &again, installation, ALICE.username, ALICE.password).await?;
    ensure!(
        again.resume().await?["user"]["id"] == who["user"]["id"],
        "a second sign-in made a second person"
    );
    let users = story.owner.all("/api/v1/users").await?;
    let alices: Vec<_> = users.iter().filter(|user| user["email"] == ALICE.email).collect();
    ensure!(
        alices.len() == 1 && alices[0]["identities"].as_array().is_some_and(|list| list.len() == 1),
        "{alices:?}"
    );

    let token = access_token(&session, &who).await?;
    Ok(Member {
        token: story.host.tenant_visitor("acme").with_bearer(&token),
        session,
    })
}

/// The second opinion: the npm package oidc-provider.
pub(super) async fn with_oidc_provider(story: &mut Story) -> anyhow::Result<()> {
    // The provider wants to know the callback when it starts, and the callback is known when the plugin is enabled; so
    // it is enabled with a placeholder and corrected.
    let version = story.installed.oauth.clone();
    let placeholder = json!({"issuer": "http://127.0.0.1:9", "client_id": OidcProvider::CLIENT_ID});
    let secrets = json!({"client_secret": OidcProvider::CLIENT_SECRET});
    let installation = enable_one(story, &version, "Second provider", placeholder, secrets).await?;
    let callback = installation["callback_url"].as_str().context("a callback")?;
    let users = json!({"bob": {"name": "Bob", "email": "bob@acme.test", "email_verified": true}});
    let provider = OidcProvider::start(&[callback], &users).await?;
    let path = format!(
        "/api/v1/installations/{}",
        installation["id"].as_str().context("an id")?
    );
    // This provider keeps everything but the subject out of the ID token, as the standard lets it.
    let config = json!({"issuer": provider.issuer(), "client_id": OidcProvider::CLIENT_ID, "userinfo": true});
    let changed = story.owner.patch(&path, json!({"config": config})).await?;
    changed.ok(200)?;
    story
        .changes
        .push(("installation.updated", changed.request_id().to_owned()));

    let visitor = story.host.tenant_visitor("acme");
    let mut bob = log_in(story, &visitor, &installation, "bob", "any").await?;
    let who = bob.resume().await?;
    ensure!(who["user"]["email"] == "bob@acme.test", "{who}");
    let gone = bob.delete("/api/v1/session").await?;
    gone.ok(204)?;
    story.changes.push(("session.closed", gone.request_id().to_owned()));
    bob.get("/api/v1/session").await?.problem(401, "unauthenticated")?;
    Ok(())
}

/// Walks the whole way as a browser does, and a few wrong ways besides.
async fn log_in(
    story: &mut Story,
    visitor: &Actor,
    installation: &Value,
    user: &str,
    password: &str,
) -> anyhow::Result<Actor> {
    let id = installation["id"].as_str().context("an id")?;
    let callback = installation["callback_url"].as_str().context("a callback")?;
    let start = visitor.url(&format!("/api/v1/login/{id}/start?return_to=/console/usage"));
    let back = visitor
        .browser
        .login_with_form(&start, user, password, callback)
        .await?;
    let path = &back.as_str()[story.host.tenant_base("acme").as_str().len() - 1..];

    // Somebody else's browser cannot take the answer over: it lacks the cookie of the start.
    let stranger = story.host.tenant_visitor("acme").get(path).await?;
    ensure!(
        error_of(&stranger.headers).is_some(),
        "a stranger's callback: {stranger}"
    );

    let done = visitor.get(path).await?;
    ensure!(done.status == 302 || done.status == 303, "{done}");
    ensure!(done.header("location").ends_with("/console/usage"), "{done}");
    let cookies: Vec<_> = done
        .headers
        .get_all("set-cookie")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let session = cookies
        .iter()
        .find(|cookie| cookie.starts_with("__Host-aistack="))
        .context("no session cookie")?;
    for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        ensure!(session.contains(attribute), "{session} lacks {attribute}");
    }
    story.changes.push(("session.opened", done.request_id().to_owned()));

    // The answer of a provider is good once.
    let repeated = visitor.get(path).await?;
    ensure!(error_of(&repeated.headers).is_some(), "a repeated callback: {repeated}");
    Ok(visitor.clone())
}

/// The error code in a redirect to the sign-in page.
fn error_of(headers: &reqwest::header::HeaderMap) -> Option<String> {
    let location = headers.get("location")?.to_str().ok()?;
    let location = Url::parse("http://localhost/").ok()?.join(location).ok()?;
    location
        .query_pairs()
        .find(|(key, _)| key == "error")
        .map(|(_, value)| value.into_owned())
}

/// Makes a token and checks it as an upstream would: with the published keys, knowing nothing else.
async fn access_token(session: &Actor, who: &Value) -> anyhow::Result<String> {
    let made = session.post("/api/v1/session/token", json!({})).await?.ok(200)?;
    ensure!(
        made["token_type"] == "Bearer" && made["expires_in"].as_u64().is_some_and(|left| left > 0),
        "{made}"
    );
    let token = made["access_token"].as_str().context("an access token")?;

    let keys: JwkSet = serde_json::from_value(session.get("/.well-known/jwks.json").await?.ok(200)?)?;
    let header = jsonwebtoken::decode_header(token)?;
    ensure!(header.typ.as_deref() == Some("at+jwt"), "{header:?}");
    let key = keys
        .find(header.kid.as_deref().context("the token names its key")?)
        .context("the key is published")?;
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.validate_aud = false;
    let claims = jsonwebtoken::decode::<Value>(token, &DecodingKey::from_jwk(key)?, &rules)?.claims;
    ensure!(
        claims["tid"] == who["tenant"]["id"] && claims["sub"] == who["user"]["id"],
        "{claims}"
    );

    // One changed letter in the signature and it is worth nothing.
    let flipped = if token.ends_with('A') { 'B' } else { 'A' };
    let middle = token.len() - 20;
    let forged = format!("{}{flipped}{}", &token[..middle], &token[middle + 1..]);
    let forger = session.with_bearer(&forged);
    forger.get("/api/v1/session").await?.problem(401, "unauthenticated")?;
    Ok(token.to_owned())
}
