//! Plugins without which the platform is not ready.

use crate::{App, Problem};

/// What is missing of `[plugins] mandatory`, each with what to do about it. Entries are plugin ids, with a version
/// requirement after `@` if only some versions will do.
///
/// # Errors
/// As the store.
pub async fn missing(app: &App) -> Result<Vec<String>, Problem> {
    let mut all = Vec::new();
    for wanted in &app.config.mandatory_plugins {
        let (id, requirement) = wanted.split_once('@').unwrap_or((wanted, "*"));
        let Ok(requirement) = semver::VersionReq::parse(requirement) else {
            all.push(format!(
                "{wanted}: {requirement:?} is not a version requirement such as ^1.2; correct [plugins] mandatory"
            ));
            continue;
        };
        let rows = app.store.platform_read().await?.plugins().versions(id).await?;
        let fitting: Vec<_> = rows
            .iter()
            .filter(|r| semver::Version::parse(&r.version).is_ok_and(|v| requirement.matches(&v)))
            .collect();
        if fitting.is_empty() {
            all.push(format!(
                "{wanted} is not installed; install it: aistack plugin install FILE"
            ));
        } else if !fitting.iter().any(|r| app.runtime.has(&r.digest)) {
            all.push(format!(
                "{wanted} is installed but can't be loaded; the log says why: install it again"
            ));
        }
    }
    Ok(all)
}
