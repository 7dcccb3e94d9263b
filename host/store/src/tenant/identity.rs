//! Members, their identities at providers, their sessions, and the keys that seal personal data.

use crate::{Page, Result, Session};
use aistack_core::{InstallationId, Role, SubjectId, Timestamp, UserId, text_enum};

text_enum! {
    /// Whether a member may sign in.
    pub enum UserStatus {
        /// Yes.
        Active = "active",
        /// No; sessions end at once.
        Disabled = "disabled",
    }
}

/// A member of the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Id.
    pub id: UserId,
    /// Address, lower case; unique in the tenant. Synthetic for providers that give none.
    pub email: String,
    /// When the address was verified.
    pub email_verified_at: Option<Timestamp>,
    /// Name.
    pub name: String,
    /// Role.
    pub role: Role,
    /// Status.
    pub status: UserStatus,
    /// Argon2id PHC string; none for members who only sign in through a provider.
    pub password_hash: Option<String>,
    /// BCP 47, when chosen.
    pub locale: Option<String>,
    /// When made.
    pub created_at: Timestamp,
    /// When last changed.
    pub updated_at: Timestamp,
    /// Last sign-in.
    pub last_login_at: Option<Timestamp>,
}

/// A member's identity at a provider: (installation, issuer, subject) is the key, never the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The connection.
    pub installation_id: InstallationId,
    /// Issuer at the provider.
    pub issuer: String,
    /// Immutable subject at the issuer.
    pub subject: String,
    /// The member.
    pub user_id: UserId,
    /// When linked.
    pub created_at: Timestamp,
}

/// Reading members.
#[async_trait::async_trait]
pub trait UsersRead: Send {
    /// By id.
    async fn get(&mut self, id: UserId) -> Result<Option<User>>;
    /// By address (lower case).
    async fn find_by_email(&mut self, email: &str) -> Result<Option<User>>;
    /// A page; `q` looks in address and name.
    async fn list(&mut self, page: &Page) -> Result<Vec<User>>;
    /// How many are active.
    async fn count_active(&mut self) -> Result<i64>;
    /// How many active owners there are.
    async fn count_owners(&mut self) -> Result<i64>;
    /// The member behind a provider identity.
    async fn find_identity(
        &mut self,
        installation: InstallationId,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<Identity>>;
    /// A member's identities.
    async fn identities(&mut self, user: UserId) -> Result<Vec<Identity>>;
    /// The session with this hash, revoked and expired ones included.
    async fn find_session(&mut self, id_hash: &[u8]) -> Result<Option<Session>>;
}

/// Changing members.
#[async_trait::async_trait]
pub trait Users: UsersRead {
    /// Adds one.
    async fn insert(&mut self, user: &User) -> Result<()>;
    /// Replaces everything but id and creation time; `Conflict` when it is gone.
    async fn update(&mut self, user: &User) -> Result<()>;
    /// Removes one with identities and sessions; false when it was not there.
    async fn delete(&mut self, id: UserId) -> Result<bool>;
    /// Links an identity.
    async fn insert_identity(&mut self, identity: &Identity) -> Result<()>;
    /// Adds a session.
    async fn insert_session(&mut self, session: &Session) -> Result<()>;
    /// Ends a session; false when there is none in force.
    async fn revoke_session(&mut self, id_hash: &[u8], at: Timestamp) -> Result<bool>;
    /// Ends all sessions of a member; how many.
    async fn revoke_sessions_of(&mut self, user: UserId, at: Timestamp) -> Result<i64>;
}

/// A data-encryption key of one subject, wrapped by the host's key. Destroying the row makes everything sealed under it
/// unreadable while the audit tree still verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectKey {
    /// The subject; a member's subject id is derived from its user id.
    pub subject: SubjectId,
    /// The wrapped key.
    pub wrapped: Vec<u8>,
    /// When made.
    pub created_at: Timestamp,
}

/// Reading subject keys.
#[async_trait::async_trait]
pub trait SubjectKeysRead: Send {
    /// The key of a subject.
    async fn get(&mut self, subject: SubjectId) -> Result<Option<SubjectKey>>;
}

/// Changing subject keys.
#[async_trait::async_trait]
pub trait SubjectKeys: SubjectKeysRead {
    /// Adds one unless there is one already; returns the one in force.
    async fn get_or_insert(&mut self, key: &SubjectKey) -> Result<SubjectKey>;
    /// Destroys one; false when it was not there.
    async fn destroy(&mut self, subject: SubjectId) -> Result<bool>;
}
