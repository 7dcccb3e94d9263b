//! Passwords: Argon2id, few at a time (each takes 19 MiB), and the same work for people who do not exist.

use crate::{App, FieldError, Problem};
use aistack_core::{Entropy, ProblemKind};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString},
};
use secrecy::{ExposeSecret, SecretString};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

/// Shortest password, in characters after normalisation.
const SHORTEST: usize = 12;
/// Longest password: nobody types more, and hashing is not free.
const LONGEST: usize = 128;
/// Requests that may wait for their turn; more are sent away.
const QUEUE: usize = 128;

/// A hash that no password has, with the parameters in force: what an unknown person's password is compared with.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// How many passwords are hashed at once.
#[derive(Debug)]
pub struct Hashing {
    turns: Semaphore,
    waiting: AtomicUsize,
}

impl Default for Hashing {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            turns: Semaphore::new(cores),
            waiting: AtomicUsize::new(0),
        }
    }
}

impl Hashing {
    /// Runs one hashing on the blocking pool when it is its turn.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        struct Waiting<'a>(&'a AtomicUsize);
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(&self.waiting);
        if before >= QUEUE {
            return Err(Problem::new(
                ProblemKind::Unavailable,
                "too many people are signing in; try again shortly",
            )
            .with("retry_after", 2));
        }
        let turn = self
            .turns
            .acquire()
            .await
            .map_err(|e| Problem::internal(e.to_string()))?;
        drop(waiting);
        let result = tokio::task::spawn_blocking(work).await;
        drop(turn);
        result.map_err(|e| Problem::internal(format!("hashing a password: {e}")))
    }
}

/// OWASP's floor: 19 MiB, two passes, one lane.
fn argon2() -> Argon2<'static> {
    let params = Params::new(19_456, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// The same text however a keyboard composes it.
fn normalised(password: &SecretString) -> SecretString {
    password.expose_secret().nfkc().collect::<String>().into()
}

/// What is wrong with a password, if anything. Length is all that is asked for; composition rules only make passwords
/// worse (NIST SP 800-63B).
#[must_use]
pub fn check_policy(pointer: &str, password: &SecretString) -> Option<FieldError> {
    // The bound on bytes keeps normalisation itself cheap.
    let bytes = password.expose_secret().len();
    let length = if bytes > LONGEST * 16 {
        usize::MAX
    } else {
        normalised(password).expose_secret().chars().count()
    };
    match length {
        n if n < SHORTEST => Some(FieldError::new(
            pointer,
            "too_short",
            "a password has at least 12 characters",
        )),
        n if n > LONGEST => Some(FieldError::new(
            pointer,
            "too_long",
            "a password has at most 128 characters",
        )),
        _ => None,
    }
}

/// Hashes a password that passed [`check_policy`]; the result is a PHC string.
///
/// # Errors
/// `unavailable` when too many wait already.
pub async fn hash_password(app: &App, password: &SecretString) -> Result<String, Problem> {
    let salt = app.rng.bytes::<16>();
    let password = normalised(password);
    app.access
        .hashing
        .run(move || {
            let salt = SaltString::encode_b64(&salt).map_err(|e| Problem::internal(e.to_string()))?;
            argon2()
                .hash_password(password.expose_secret().as_bytes(), &salt)
                .map(|hash| hash.to_string())
                .map_err(|e| Problem::internal(e.to_string()))
        })
        .await?
}

/// Whether a password fits a hash; without a hash the same work is done and the answer is no.
///
/// # Errors
/// `unavailable` when too many wait already.
pub(super) async fn verify_password(app: &App, password: &SecretString, hash: Option<&str>) -> Result<bool, Problem> {
    let exists = hash.is_some();
    let hash = hash.unwrap_or(NOBODY).to_owned();
    // Longer ones can't be anybody's; cut, so that they cost what others cost.
    let text: String = password.expose_secret().chars().take(LONGEST + 1).collect();
    let password = normalised(&text.into());
    let fits = app
        .access
        .hashing
        .run(move || {
            let parsed =
                PasswordHash::new(&hash).map_err(|e| Problem::internal(format!("a stored password hash: {e}")))?;
            Ok::<_, Problem>(
                argon2()
                    .verify_password(password.expose_secret().as_bytes(), &parsed)
                    .is_ok(),
            )
        })
        .await??;
    Ok(fits && exists)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_counts_characters_after_normalisation() {
        let code = |p: &str| check_policy("/password", &p.into()).map(|e| e.code);
        assert_eq!(code("eleven char").as_deref(), Some("too_short"));
        assert_eq!(code("twelve chars"), None);
        assert_eq!(code(&"密".repeat(12)), None);
        // One ligature is three letters to everybody who types it.
        assert_eq!(code("ﬃﬃﬃﬃ"), None);
        assert_eq!(code(&"x".repeat(128)), None);
        assert_eq!(code(&"x".repeat(129)).as_deref(), Some("too_long"));
        assert_eq!(code(&"x".repeat(1_000_000)).as_deref(), Some("too_long"));
    }

    #[test]
    fn nobodys_hash_is_read_like_any_other_and_fits_nothing() {
        let parsed = PasswordHash::new(NOBODY).unwrap();
        assert_eq!(parsed.params.get_decimal("m"), Some(19_456));
        assert!(argon2().verify_password(b"", &parsed).is_err());
    }

    #[test]
    fn equivalent_spellings_are_one_password() {
        let a = normalised(&"pa\u{0308}ssword".into());
        let b = normalised(&"p\u{00e4}ssword".into());
        assert_eq!(a.expose_secret(), b.expose_secret());
    }
}
