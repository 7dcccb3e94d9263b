//! What handlers take. Every refusal is a problem document; none of axum's own texts reaches a caller.

pub(crate) mod json;
mod query;
mod who;

pub use json::Json;
pub use query::{List, ListParams, Listed, Path, Query, decode_cursor, encode_cursor};
pub use who::{InTenant, OperatorCtx};
