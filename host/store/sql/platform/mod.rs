//! The platform's own tables.

mod domains;
mod jobs;
mod operators;
mod plugins;
mod routes;
mod settings;
mod tenants;
