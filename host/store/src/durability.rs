//! What an acknowledged commit survives: an explicit setting, because it decides how many commits a second a disk does.

use aistack_core::text_enum;

text_enum! {
    /// What an acknowledged commit survives.
    pub enum Durability {
        /// Loss of power: every commit waits for the disk. The default.
        PowerLoss = "power-loss",
        /// The death of the process (SQLite) or of a client (PostgreSQL); a loss of power may take the last commits
        /// with it, but never part of one.
        Crash = "crash",
    }
}

#[expect(
    clippy::derivable_impls,
    reason = "the enum is made by a macro that derives no Default"
)]
impl Default for Durability {
    fn default() -> Self {
        Self::PowerLoss
    }
}
