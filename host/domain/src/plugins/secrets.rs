//! Secrets of installations: sealed for one tenant, installation and name, opened only when a call is prepared.

use super::port::SecretSet;
use crate::{App, Problem};
use aistack_core::{InstallationId, TenantId};
use aistack_store::StoredSecret;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use std::collections::BTreeMap;

/// Purpose under which the sealer derives its key.
const PURPOSE: &str = "installation-secret";
/// Largest secret: a certificate chain with its key fits well.
pub(super) const MAX_SECRET: usize = 32 << 10;

/// Binds a sealed secret to its place: a value copied to another tenant, installation or name can't be opened there.
/// The ids have a fixed length, so the parts can't be shifted against each other.
fn aad(tenant: TenantId, installation: InstallationId, name: &str) -> Vec<u8> {
    [
        tenant.0.as_bytes().as_slice(),
        installation.0.as_bytes(),
        name.as_bytes(),
    ]
    .concat()
}

/// Seals a version of a secret.
#[must_use]
pub(super) fn seal(
    app: &App,
    tenant: TenantId,
    installation: InstallationId,
    name: &str,
    version: i64,
    value: &SecretString,
) -> StoredSecret {
    StoredSecret {
        installation_id: installation,
        name: name.to_owned(),
        version,
        sealed: app.sealer.seal(
            PURPOSE,
            &aad(tenant, installation, name),
            value.expose_secret().as_bytes(),
        ),
        created_at: app.clock.now(),
    }
}

/// A version number and its value.
type Versioned = (i64, SecretBox<Vec<u8>>);

/// Opens all secrets of an installation, each name's versions newest first.
///
/// # Errors
/// `internal` when one can't be opened: wrong root key, or rows that were moved.
pub(super) fn open_all(app: &App, tenant: TenantId, rows: &[StoredSecret]) -> Result<SecretSet, Problem> {
    let mut by_name: BTreeMap<String, Vec<Versioned>> = BTreeMap::new();
    for row in rows {
        let plain = app
            .sealer
            .open(PURPOSE, &aad(tenant, row.installation_id, &row.name), &row.sealed)
            .map_err(|e| Problem::internal(format!("secret {:?} of {}: {e}", row.name, row.installation_id)))?;
        by_name.entry(row.name.clone()).or_default().push((row.version, plain));
    }
    Ok(SecretSet(
        by_name
            .into_iter()
            .map(|(name, mut versions)| {
                versions.sort_by_key(|(v, _)| std::cmp::Reverse(*v));
                (name, versions.into_iter().map(|(_, s)| s).collect())
            })
            .collect(),
    ))
}
