//! The OpenAPI 3.1 document, put together from the registry.

use crate::registry::Routes;
use serde_json::{Value, json};
use utoipa::{
    OpenApi as _,
    openapi::{Info, OpenApi},
};

/// An RFC 9457 problem document. More members may be there, depending on the code.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// `urn:aistack:problem:<code>`.
    pub r#type: String,
    /// The kind of problem in a few words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// Stable code.
    pub code: String,
    /// What happened this time, in one sentence.
    pub detail: String,
    /// The path asked for.
    pub instance: Option<String>,
    /// The request, as in `x-request-id` and in the log.
    pub request_id: String,
    /// Values that were not accepted.
    pub errors: Option<Vec<ProblemField>>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// One value that was not accepted.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub struct ProblemField {
    /// JSON pointer into the body.
    pub pointer: String,
    /// Stable code.
    pub code: String,
    /// A sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Line, from 1, when the value stands in a text such as a plugin's manifest.
    pub line: Option<usize>,
}

#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(ProblemDocument, ProblemField)))]
struct Base;

/// The document, keys sorted, so that the same routes always give the same text.
#[must_use]
pub fn document(routes: &Routes) -> Value {
    let mut doc: OpenApi = Base::openapi();
    doc.info = Info::new("aistack", "1");
    doc.info.description = Some(
        "The enterprise layer in front of an AI product. Routes of the realm `platform` exist on the base host, those of `tenant` on \
         `{slug}.<base host>` and below `/t/{slug}` of the base host, those of `either` on both. Errors are problem+json."
            .to_owned(),
    );
    let (paths, schemas) = routes.documentation();
    doc.paths = paths;
    let components = doc.components.get_or_insert_with(Default::default);
    components.schemas.extend(schemas);
    let mut doc = serde_json::to_value(&doc).unwrap_or_else(|e| json!({ "error": e.to_string() }));
    doc["components"]["securitySchemes"] = json!({
        "session": { "type": "apiKey", "in": "cookie", "name": crate::layers::COOKIE_USER, "description":
            "A member's session. Changes need the X-CSRF-Token header too. Operators have __Host-aistack-op." },
        "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "at+jwt" },
    });
    if let Some(paths) = doc["paths"].as_object_mut() {
        for operation in paths
            .values_mut()
            .filter_map(Value::as_object_mut)
            .flat_map(|item| item.values_mut())
        {
            complete(operation);
        }
    }
    sorted(doc)
}

/// What every operation has: the security it needs, and problem documents.
fn complete(operation: &mut Value) {
    if !operation.is_object() {
        return;
    }
    if operation.get("x-permission").is_some() {
        operation["security"] = json!([{ "session": [] }, { "bearer": [] }]);
    } else {
        operation["security"] = json!([]);
    }
    operation["responses"]["default"] = json!({
        "description": "A problem",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    });
}

/// Sorts the keys of every object, whatever order the map type has.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().map(|(k, v)| (k, sorted(v))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}
