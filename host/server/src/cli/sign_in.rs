//! Set-up, signing in and out.

use super::{
    Client, Failure, Output, Remote,
    credentials::{Credential, Credentials},
};
use anyhow::Context;
use clap::Args;
use reqwest::{Method, header::HeaderMap};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::io::{IsTerminal, Read};

#[derive(Debug, Args)]
pub(super) struct Setup {
    #[command(flatten)]
    remote: Remote,
    /// The token in the link, or the whole link
    #[arg(long)]
    token: String,
    /// Your e-mail address
    #[arg(long)]
    email: String,
    /// Your name
    #[arg(long)]
    name: String,
    /// Read the password from standard input instead of asking for it
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, Args)]
pub(super) struct Login {
    #[command(flatten)]
    remote: Remote,
    /// Sign in as a member of this tenant instead of as an operator
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
    /// Your e-mail address
    #[arg(long)]
    email: String,
    /// Read the password from standard input instead of asking for it
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, Args)]
pub(super) struct Logout {
    #[command(flatten)]
    remote: Remote,
    /// End the session as a member of this tenant
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
}

/// A password from standard input (one line) or from the terminal, without showing it.
pub(super) fn password(from_stdin: bool, prompt: &str) -> Result<SecretString, Failure> {
    if from_stdin {
        let mut text = String::new();
        std::io::stdin()
            .take(4096)
            .read_to_string(&mut text)
            .context("standard input")?;
        return Ok(text.trim_end_matches(['\n', '\r']).into());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "no terminal to ask for the password: use --password-stdin".to_owned(),
        ));
    }
    Ok(rpassword::prompt_password(prompt).context("the terminal")?.into())
}

impl Setup {
    pub(super) async fn run(&self, out: &Output) -> Result<(), Failure> {
        let client = Client::open(&self.remote)?.signed_out();
        let password = password(self.password_stdin, "Password (12 characters or more): ")?;
        let body = json!({
            "token": token(&self.token), "email": self.email, "name": self.name, "password": password.expose_secret(),
        });
        let (headers, answer) = client.exchange(Method::POST, "/api/v1/setup", Some(&body)).await?;
        keep(&client, &headers, &answer, &self.email)?;
        out.value(&answer["operator"], |w| {
            writeln!(w, "{} is the operator, and signed in here.", self.email)
        })
    }
}

/// People paste the link.
fn token(text: &str) -> String {
    let link = url::Url::parse(text).ok();
    let from_link = link.and_then(|l| l.query_pairs().find(|(k, _)| k == "token").map(|(_, v)| v.into_owned()));
    from_link.unwrap_or_else(|| text.to_owned())
}

impl Login {
    pub(super) async fn run(&self, out: &Output) -> Result<(), Failure> {
        let client = Client::anywhere(&self.remote, self.tenant.as_deref())?.signed_out();
        let password = password(self.password_stdin, "Password: ")?;
        let body = json!({ "email": self.email, "password": password.expose_secret() });
        let (headers, session) = client.exchange(Method::POST, "/api/v1/session", Some(&body)).await?;
        keep(&client, &headers, &session, &self.email)?;
        let mut shown = session;
        if let Some(members) = shown.as_object_mut() {
            members.remove("csrf_token");
        }
        out.value(&shown, |w| {
            writeln!(w, "Signed in to {} as {}.", client.place(), self.email)
        })
    }
}

impl Logout {
    pub(super) async fn run(&self, out: &Output) -> Result<(), Failure> {
        let client = Client::anywhere(&self.remote, self.tenant.as_deref())?;
        match client.send(Method::DELETE, "/api/v1/session", None).await {
            // Over already is as good.
            Ok(_) | Err(Failure::Refused(_)) => {}
            Err(e) => return Err(e),
        }
        let mut credentials = Credentials::read()?;
        credentials.sessions.remove(&client.place());
        credentials.write()?;
        out.value(&json!({ "signed_out": client.place() }), |w| {
            writeln!(w, "Signed out of {}.", client.place())
        })
    }
}

/// Saves the session of a sign-in.
fn keep(client: &Client, headers: &HeaderMap, answer: &Value, email: &str) -> Result<(), Failure> {
    let cookie = headers.get("set-cookie").and_then(|v| v.to_str().ok());
    let pair = cookie
        .and_then(|c| c.split(';').next())
        .and_then(|pair| pair.split_once('='));
    let (name, secret) = pair.context("the answer has no session cookie: is this an aistack server?")?;
    let csrf = answer["csrf_token"].as_str().context("the answer has no CSRF token")?;
    let mut credentials = Credentials::read()?;
    credentials.default = Some(client.base().to_owned());
    let credential = Credential {
        cookie: name.to_owned(),
        secret: secret.into(),
        csrf_token: csrf.into(),
        email: email.to_owned(),
    };
    credentials.sessions.insert(client.place(), credential);
    Ok(credentials.write()?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_whole_link_is_a_token_too() {
        assert_eq!(super::token("abc"), "abc");
        assert_eq!(super::token("http://localhost:8080/console/setup?token=abc"), "abc");
    }
}
