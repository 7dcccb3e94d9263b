//! The console's files: hashed ones may be kept for ever, the page itself is asked for every time.

use crate::state::{Asset, Assets};
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderMap, HeaderName, StatusCode, header};

/// What a build without the console serves in its place.
const MISSING: &str = include_str!("console_missing.html");

/// The answer for a path below `/console/`. A path without a file is a page of the application, except below `assets/`.
pub(crate) fn page(assets: &dyn Assets, path: &str, headers: &HeaderMap) -> Response {
    if path != "index.html"
        && let Some(asset) = assets.get(path).filter(|_| !path.is_empty())
    {
        let keep = if path.starts_with("assets/") {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        return file(path, asset, keep, headers);
    }
    if path.starts_with("assets/") {
        return StatusCode::NOT_FOUND.into_response();
    }
    match assets.get("index.html") {
        Some(index) => file("index.html", index, "no-cache", headers),
        None => (StatusCode::OK, [(header::CACHE_CONTROL, "no-store")], Html(MISSING)).into_response(),
    }
}

fn file(path: &str, asset: Asset, keep: &'static str, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", asset.digest.get(..32).unwrap_or(&asset.digest));
    let known = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let fields: [(HeaderName, String); 3] = [
        (header::CONTENT_TYPE, media_type(path).to_owned()),
        (header::CACHE_CONTROL, keep.to_owned()),
        (header::ETAG, tag.clone()),
    ];
    if known.is_some_and(|k| k.split(',').any(|t| t.trim().trim_start_matches("W/") == tag)) {
        return (StatusCode::NOT_MODIFIED, fields).into_response();
    }
    (fields, asset.bytes).into_response()
}

/// The types a build of the console contains.
fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ext)| ext) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("webp") => "image/webp",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("woff") => "font/woff",
        Some("txt") => "text/plain; charset=utf-8",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    struct Files(&'static [&'static str]);
    impl Assets for Files {
        fn get(&self, path: &str) -> Option<Asset> {
            self.0.contains(&path).then(|| Asset {
                bytes: Bytes::from_static(b"x"),
                digest: "ab".repeat(32),
            })
        }
    }

    #[test]
    fn pages_files_and_what_is_missing() {
        let files = Files(&["index.html", "assets/a-1.js", "favicon.svg"]);
        let cache = |path: &str| {
            let r = page(&files, path, &HeaderMap::new());
            let header = r
                .headers()
                .get(header::CACHE_CONTROL)
                .map(|v| v.to_str().unwrap().to_owned());
            (r.status().as_u16(), header.unwrap_or_default())
        };
        assert_eq!(
            cache("assets/a-1.js"),
            (200, "public, max-age=31536000, immutable".into())
        );
        assert_eq!(cache("assets/gone.js").0, 404);
        for path in ["", "index.html", "tenants/ten_1", "favicon.svg"] {
            assert_eq!(cache(path), (200, "no-cache".into()), "{path}");
        }
        assert_eq!(page(&Files(&[]), "", &HeaderMap::new()).status(), 200);
    }

    #[test]
    fn a_known_file_is_not_sent_again() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::IF_NONE_MATCH,
            format!("\"{}\"", "ab".repeat(16)).parse().unwrap(),
        );
        assert_eq!(page(&Files(&["index.html"]), "", &headers).status(), 304);
    }
}
