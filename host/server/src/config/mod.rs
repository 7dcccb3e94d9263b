//! Configuration: defaults, then a TOML file, then the environment, then the command line. Unknown keys are refused,
//! because a misspelt setting that is silently ignored is worse than an error.

mod load;
mod model;
mod reference;
pub(crate) mod settings;

pub use load::{ConfigError, Source, load};
pub use model::{Config, LogFormat};
pub use reference::reference;

impl Config {
    /// The configuration as TOML, passwords in addresses replaced.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut shown = self.clone();
        for address in [&mut shown.store.url, &mut shown.store.owner_url].into_iter().flatten() {
            if let Ok(mut url) = url::Url::parse(address)
                && url.password().is_some()
                && url.set_password(Some("***")).is_ok()
            {
                *address = url.to_string();
            }
        }
        toml::to_string_pretty(&shown).unwrap_or_else(|e| format!("# {e}\n"))
    }
}
