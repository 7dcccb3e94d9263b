//! Plugins: the catalogue, what tenants have of it, and what is allowed, tried and taken back.

mod catalogue;
mod installed;
mod policies;
mod releases;
mod schedule;
mod schema;
mod trust;
mod upgrades;
mod verdicts;
