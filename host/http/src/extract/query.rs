//! Path and query parameters, and the parameters every list takes.

use crate::problem::{ApiProblem, ApiResult};
use aistack_core::ProblemKind;
use aistack_domain::{FieldError, Problem};
use aistack_store::Page;
use axum::extract::FromRequestParts;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::request::Parts;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Parameters in the path. One that is no id of its kind names nothing: 404.
#[derive(Debug, Clone)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = ApiProblem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => Err(ApiProblem::new(
                ProblemKind::NotFound,
                "there is nothing at this address",
            )),
        }
    }
}

/// Parameters in the query. Empty ones count as not given, unknown ones are ignored.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiProblem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        parse(parts.uri.query().unwrap_or_default())
            .map(Self)
            .map_err(ApiProblem)
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes())
        .filter(|(_, v)| !v.is_empty())
        .collect();
    let text = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    let de = serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(text.as_bytes()));
    serde_path_to_error::deserialize(de).map_err(|e| {
        let name = e.path().to_string();
        Problem::new(
            ProblemKind::MalformedRequest,
            format!("query parameter {name}: {}", e.inner()),
        )
    })
}

/// Parameters of every list, for the OpenAPI.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// At most so many, 1 to 200.
    #[param(default = 50, minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// `next` of the previous page.
    pub cursor: Option<String>,
    /// Text to look for.
    pub q: Option<String>,
    /// `created_at` or `-created_at` (newest first, the default).
    pub sort: Option<String>,
}

/// A wanted page of a list.
#[derive(Debug, Clone)]
pub struct List {
    page: Page,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Listed<T> {
    /// The page.
    pub items: Vec<T>,
    /// Send it as `cursor` for the next page; null on the last.
    #[schema(required = true)]
    pub next: Option<String>,
}

impl List {
    /// For the store: one more than asked for, to know whether there is a next page.
    #[must_use]
    pub fn page(&self) -> Page {
        Page {
            limit: self.page.limit + 1,
            ..self.page.clone()
        }
    }
    /// How many were asked for.
    #[must_use]
    pub fn limit(&self) -> i64 {
        self.page.limit
    }
    /// Cuts the rows the store gave for [`List::page`] to the page asked for.
    #[must_use]
    pub fn listed<R, T>(&self, mut rows: Vec<R>, id: impl Fn(&R) -> Uuid, view: impl Fn(R) -> T) -> Listed<T> {
        let limit = usize::try_from(self.page.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        Listed {
            next: rows
                .last()
                .filter(|_| more)
                .map(|last| encode_cursor(id(last).as_bytes())),
            items: rows.into_iter().map(view).collect(),
        }
    }
}

/// An opaque cursor.
#[must_use]
pub fn encode_cursor(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// What stands in an opaque cursor.
///
/// # Errors
/// `validation_failed` when it is none of ours.
pub fn decode_cursor<const N: usize>(text: &str) -> Result<[u8; N], Problem> {
    BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .and_then(|b| b.try_into().ok())
        .ok_or_else(|| bad("cursor", "format", "use `next` of the previous page as cursor"))
}

fn bad(name: &str, code: &str, message: &str) -> Problem {
    Problem::invalid(vec![FieldError::new(format!("?{name}"), code, message)])
}

impl<S: Sync> FromRequestParts<S> for List {
    type Rejection = ApiProblem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        let params: ListParams = parse(parts.uri.query().unwrap_or_default())?;
        let limit = params.limit.unwrap_or(50);
        if !(1..=200).contains(&limit) {
            return Err(bad("limit", "range", "limit is between 1 and 200").into());
        }
        let newest_first = match params.sort.as_deref() {
            None | Some("-created_at") => true,
            Some("created_at") => false,
            Some(_) => return Err(bad("sort", "unknown", "sort is created_at or -created_at").into()),
        };
        let after = params.cursor.as_deref().map(decode_cursor::<16>).transpose()?;
        Ok(Self {
            page: Page {
                limit,
                after: after.map(Uuid::from_bytes),
                newest_first,
                q: params.q.map(|q| q.chars().take(200).collect()),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn list(query: &str) -> Result<List, Problem> {
        let req = http::Request::get(format!("/x?{query}")).body(()).unwrap();
        List::from_request_parts(&mut req.into_parts().0, &())
            .await
            .map_err(|p| p.0)
    }

    #[tokio::test]
    async fn lists_take_limit_cursor_search_and_order() {
        let it = list("limit=2&q=&sort=created_at&other=1").await.unwrap();
        assert_eq!(
            (it.page().limit, it.limit(), it.page().newest_first, it.page().q),
            (3, 2, false, None)
        );
        for (query, kind) in [
            ("limit=0", ProblemKind::ValidationFailed),
            ("limit=201", ProblemKind::ValidationFailed),
            ("limit=x", ProblemKind::MalformedRequest),
            ("limit=1&limit=2", ProblemKind::MalformedRequest),
            ("cursor=%21", ProblemKind::ValidationFailed),
            ("sort=name", ProblemKind::ValidationFailed),
        ] {
            assert_eq!(list(query).await.unwrap_err().kind, kind, "{query}");
        }
    }

    #[tokio::test]
    async fn the_cursor_of_a_page_is_its_last_row() {
        let it = list("limit=2").await.unwrap();
        let rows = vec![Uuid::from_u128(3), Uuid::from_u128(2), Uuid::from_u128(1)];
        let page = it.listed(rows, |r| *r, |r| r.as_u128());
        assert_eq!(page.items, [3, 2]);
        let next = list(&format!("cursor={}", page.next.unwrap())).await.unwrap();
        assert_eq!(next.page().after, Some(Uuid::from_u128(2)));
        let last = it.listed(vec![Uuid::from_u128(1)], |r| *r, |r| r.as_u128());
        assert_eq!(last.next, None);
    }
}
