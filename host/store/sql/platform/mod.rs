//! The platform's own tables.

mod jobs;
mod operators;
mod plugins;
mod routes;
mod settings;
mod tenants;
