//! `--demo`: a believable business in an empty platform, so that a newcomer sees every page with something on it.
//!
//! Demo tenants carry `demo_at` and are shown as such. What is seeded goes through the same stores as real data and is
//! audited; tenants that exist already are left alone, so starting with `--demo` twice changes nothing.

mod business;
mod seed;

pub use seed::{Seeded, seed};
