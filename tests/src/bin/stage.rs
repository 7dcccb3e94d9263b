//! The stage of the end-to-end tests: a platform on an empty folder with Keycloak, stripe-mock and an upstream beside it.
//!
//! Prints one JSON line that says where everything is, and takes it all down when standard input closes.

use aistack_tests::host::{Store, TestHost};
use aistack_tests::peers::{Keycloak, PeerError, RealmUser, StripeMock};
use aistack_tests::upstream::Upstream;
use serde_json::json;
use std::io::{Read as _, Write as _};

const CLIENT_ID: &str = "aistack";
const CLIENT_SECRET: &str = "keycloak-and-acme-know-this";
const MEMBER: RealmUser<'_> = RealmUser {
    username: "alice",
    password: "correct horse",
    email: "alice@acme.test",
    first_name: "Alice",
    last_name: "张",
};

#[tokio::main]
async fn main() -> Result<(), PeerError> {
    let keycloak = Keycloak::start().await?;
    let stripe = StripeMock::start().await?;
    let upstream = Upstream::start().await?;
    let host = TestHost::start(Store::Sqlite).await?;
    let realm = keycloak.realm().await?;
    realm.add_user(MEMBER).await?;
    let tenants = format!("{}*", host.tenant_base("acme"));
    realm.add_client(CLIENT_ID, CLIENT_SECRET, &[&tenants]).await?;

    let stage = json!({
        "base": host.base(),
        "tenant": host.tenant_base("acme"),
        "setup_url": host.setup_link()?,
        "plugins": aistack_tests::repository().join("dist/plugins"),
        "upstream": upstream.url(),
        "stripe": stripe.url(),
        "oidc": {"issuer": realm.issuer(), "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
        "member": {"username": MEMBER.username, "password": MEMBER.password, "email": MEMBER.email},
    });
    let mut output = std::io::stdout();
    writeln!(output, "{stage}")
        .and_then(|()| output.flush())
        .map_err(anyhow::Error::from)?;

    // Ends with the pipe: the one who started this is done, or gone.
    let _ = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await;
    Ok(())
}
