//! A tenant's tables. Every statement names the tenant, in the key, the predicate and the conflict target.

mod installations;
mod journals;
mod machinery;
mod orders;
mod reports;
mod subject_keys;
mod usage;
mod users;
