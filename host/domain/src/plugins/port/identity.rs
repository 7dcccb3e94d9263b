//! Sign-in through a plugin, and the provider's directory: `aistack:identity/login` and `…/directory`.

use super::{Fault, FaultKind, HttpRequest, Invocation};
use serde_json::Value;
use std::time::Duration;

/// How a sign-in starts.
#[derive(Debug, Clone, PartialEq)]
pub struct LoginStart {
    /// The platform's callback for this installation; providers send the browser back there.
    pub return_url: String,
    /// The browser's user agent.
    pub user_agent: String,
    /// Name or address to prefill.
    pub login_hint: Option<String>,
    /// OIDC `prompt`, e.g. `login`.
    pub prompt: Option<String>,
    /// `login`, `link`, `reauth` or `test`.
    pub purpose: String,
    /// Anything else.
    pub extra: Value,
}

/// A field the plugin wants filled in (LDAP).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PromptField {
    /// Key in the answer.
    pub name: String,
    /// Label for people.
    pub label: String,
    /// Whether to hide what is typed.
    pub secret: bool,
}

/// A person as the provider describes them.
#[derive(Debug, Clone, PartialEq)]
pub struct ExternalUser {
    /// The provider's immutable id; with the issuer, the identity key. Never an e-mail address.
    pub subject: String,
    /// Other ids at the provider, e.g. `("issuer", …)`, `("unionid", …)`.
    pub alternate_ids: Vec<(String, String)>,
    /// Login name.
    pub username: Option<String>,
    /// Address.
    pub email: Option<String>,
    /// Whether the provider vouches for the address.
    pub email_verified: bool,
    /// Phone.
    pub phone: Option<String>,
    /// Name for people.
    pub display_name: Option<String>,
    /// Picture URL.
    pub avatar: Option<String>,
    /// Stable group ids.
    pub groups: Vec<String>,
    /// Everything else that was mapped.
    pub attributes: Value,
}

/// A finished sign-in.
#[derive(Debug, Clone, PartialEq)]
pub struct ExternalSession {
    /// Who.
    pub user: ExternalUser,
    /// The provider's session id, for single logout.
    pub provider_session: Option<String>,
    /// When the provider's session ends (Unix milliseconds).
    pub expires_ms: Option<u64>,
    /// Authentication context class.
    pub acr: Option<String>,
    /// Authentication methods.
    pub amr: Vec<String>,
    /// Provider tokens; sealed by the host.
    pub tokens: Option<Value>,
}

/// What happens next in a sign-in.
#[derive(Debug, Clone, PartialEq)]
pub enum LoginStep {
    /// Send the browser there.
    Redirect(String),
    /// Have the browser post these fields there (SAML POST binding).
    FormPost(String, Vec<(String, String)>),
    /// Ask these fields.
    Prompt(Vec<PromptField>),
    /// Show a QR code with this payload and poll.
    Qr(String, Duration),
    /// Embed a widget described by the JSON; CSP origins it needs.
    Embed(Value, Vec<String>),
    /// Show this and poll (device code).
    Wait(Value, Duration),
    /// Finished.
    Done(Box<ExternalSession>),
}

/// A step and the state to hand back at the next one.
#[derive(Debug, Clone, PartialEq)]
pub struct LoginProgress {
    /// What to do now.
    pub step: LoginStep,
    /// Opaque to the host: sealed, single use, bound to browser and installation.
    pub state: Vec<u8>,
    /// How long the state may wait.
    pub expires: Duration,
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub enum LoginInput {
    /// The browser's return (GET redirect, ACS or form_post POST).
    Http(HttpRequest),
    /// Filled-in fields.
    Fields(Vec<(String, String)>),
    /// A poll.
    Poll,
}

/// One change of a directory, as far as the platform acts on it.
#[derive(Debug, Clone, PartialEq)]
pub enum DirectoryChange {
    /// The person is like this; whether their account is enabled.
    Person(Box<ExternalUser>, bool),
    /// The person with this subject is gone.
    Gone(String),
    /// About groups, which come with sign-ins.
    Groups,
}

/// A page of a directory.
#[derive(Debug, Clone, PartialEq)]
pub struct DirectoryPage {
    /// The changes, in an order in which they can be applied.
    pub changes: Vec<DirectoryChange>,
    /// Handed to the next call.
    pub cursor: Vec<u8>,
    /// There is another page now.
    pub more: bool,
    /// With this page a full snapshot is complete.
    pub full_snapshot_end: bool,
}

/// `aistack:identity/login` and `…/directory` as the domain calls them.
#[async_trait::async_trait]
pub trait IdentityPort: Send + Sync {
    /// Starts a sign-in.
    async fn begin(&self, inv: Invocation, start: LoginStart) -> Result<LoginProgress, Fault>;
    /// Continues it.
    async fn resume(&self, inv: Invocation, state: Vec<u8>, input: LoginInput) -> Result<LoginProgress, Fault>;
    /// A sign-in the provider started.
    async fn unsolicited(&self, inv: Invocation, input: LoginInput) -> Result<ExternalSession, Fault>;
    /// Signs out at the provider too, when it can. The step, if any, is for the browser, which comes back to
    /// `return_url`.
    async fn logout(
        &self,
        inv: Invocation,
        session: ExternalSession,
        return_url: String,
    ) -> Result<Option<LoginStep>, Fault>;
    /// The next page of the directory: from the start without a cursor, else from where the page before ended.
    async fn sync(&self, inv: Invocation, cursor: Option<Vec<u8>>, limit: u32) -> Result<DirectoryPage, Fault> {
        let _ = (inv, cursor, limit);
        Err(Fault::new(
            FaultKind::Unsupported,
            "unsupported",
            "there is no directory here",
        ))
    }
}
