//! Keycloak as an OpenID provider: started in development mode with its database in memory, seeded over its admin API.

use super::process::{Command, Process, free_port};
use super::{PeerError, cache_dir, find_program, version};
use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::OnceCell;

const ADMIN: &str = "admin";
const ADMIN_PASSWORD: &str = "only for tests";

/// A running Keycloak.
pub struct Keycloak {
    _process: Process,
    url: String,
    counter: AtomicU32,
}

/// A realm of its own for one test.
#[derive(Debug, Clone)]
pub struct Realm {
    server: String,
    /// Its name.
    pub name: String,
}

/// A person known to a realm.
#[derive(Debug, Clone, Copy)]
pub struct RealmUser<'a> {
    /// The login name.
    pub username: &'a str,
    /// The password.
    pub password: &'a str,
    /// The address, already verified.
    pub email: &'a str,
    /// Given name.
    pub first_name: &'a str,
    /// Family name.
    pub last_name: &'a str,
}

impl Keycloak {
    /// The Keycloak this test process shares: it takes ten seconds and more to start. Take a [`Realm`] of it.
    ///
    /// # Errors
    /// When Keycloak is missing or does not start.
    pub async fn shared() -> Result<&'static Self, PeerError> {
        static SHARED: OnceCell<Keycloak> = OnceCell::const_new();
        SHARED.get_or_try_init(Self::start).await
    }

    /// Starts it.
    ///
    /// # Errors
    /// When Keycloak is missing or does not start.
    pub async fn start() -> Result<Self, PeerError> {
        let home = cache_dir().join(format!("keycloak-{}", version("KEYCLOAK")));
        let script = home.join("bin/kc.sh");
        if !script.is_file() || find_program("java", &[]).is_none() {
            return Err(PeerError::Missing {
                what: "Keycloak".into(),
                part: "keycloak",
            });
        }
        let port = free_port()?;
        let management = free_port()?;
        let mut process = Command::new(script)?
            .arg("start-dev")
            .args([
                "--db=dev-mem",
                "--cache=local",
                "--http-host=127.0.0.1",
                "--health-enabled=true",
            ])
            .arg(format!("--http-port={port}"))
            .arg(format!("--http-management-port={management}"))
            .env("KC_BOOTSTRAP_ADMIN_USERNAME", ADMIN)
            .env("KC_BOOTSTRAP_ADMIN_PASSWORD", ADMIN_PASSWORD)
            .env("JAVA_OPTS_APPEND", "-Xmx512m")
            // The `java` on the PATH is the one that was looked for.
            .unset("JAVA_HOME")
            .spawn()?;
        let url = format!("http://127.0.0.1:{port}");
        let probe = format!("{url}/realms/master");
        process
            .ready(Duration::from_secs(300), |_| {
                let answer = reqwest::get(probe.clone());
                async move { answer.await.ok()?.error_for_status().ok().map(drop) }
            })
            .await?;
        Ok(Self {
            _process: process,
            url,
            counter: AtomicU32::new(0),
        })
    }

    /// Makes a realm under a fresh name.
    ///
    /// # Errors
    /// When Keycloak refuses.
    pub async fn realm(&self) -> anyhow::Result<Realm> {
        let name = format!("realm-{}", self.counter.fetch_add(1, Ordering::Relaxed));
        let realm = Realm {
            server: self.url.clone(),
            name,
        };
        realm
            .admin(
                "/admin/realms",
                &json!({"realm": realm.name, "enabled": true, "sslRequired": "none"}),
            )
            .await?;
        Ok(realm)
    }
}

impl Realm {
    /// The issuer URL.
    pub fn issuer(&self) -> String {
        format!("{}/realms/{}", self.server, self.name)
    }

    /// Adds a person.
    ///
    /// # Errors
    /// When Keycloak refuses.
    pub async fn add_user(&self, user: RealmUser<'_>) -> anyhow::Result<()> {
        self.admin(
            &format!("/admin/realms/{}/users", self.name),
            &json!({
                "username": user.username,
                "enabled": true,
                "email": user.email,
                "emailVerified": true,
                "firstName": user.first_name,
                "lastName": user.last_name,
                "credentials": [{"type": "password", "value": user.password, "temporary": false}],
            }),
        )
        .await
    }

    /// Adds a confidential OpenID client for the code flow, with PKCE required.
    ///
    /// # Errors
    /// When Keycloak refuses.
    pub async fn add_client(&self, id: &str, secret: &str, redirect_uris: &[&str]) -> anyhow::Result<()> {
        self.admin(
            &format!("/admin/realms/{}/clients", self.name),
            &json!({
                "clientId": id,
                "protocol": "openid-connect",
                "enabled": true,
                "publicClient": false,
                "secret": secret,
                "redirectUris": redirect_uris,
                "standardFlowEnabled": true,
                "attributes": {"pkce.code.challenge.method": "S256"},
            }),
        )
        .await
    }

    async fn admin(&self, path: &str, body: &Value) -> anyhow::Result<()> {
        let client = reqwest::Client::new();
        let token: Value = client
            .post(format!("{}/realms/master/protocol/openid-connect/token", self.server))
            .form(&[
                ("grant_type", "password"),
                ("client_id", "admin-cli"),
                ("username", ADMIN),
                ("password", ADMIN_PASSWORD),
            ])
            .send()
            .await?
            .error_for_status()
            .context("Keycloak's administrator cannot sign in")?
            .json()
            .await?;
        let token = token["access_token"]
            .as_str()
            .context("no access token for Keycloak's administrator")?;
        let answer = client
            .post(format!("{}{path}", self.server))
            .bearer_auth(token)
            .json(body)
            .send()
            .await?;
        let status = answer.status();
        ensure!(
            status.is_success(),
            "Keycloak answers {status} to {path}: {}",
            answer.text().await?
        );
        Ok(())
    }
}
