//! Where a sign-in sends a browser that can't go on by a redirect: a form that posts itself, or the console's page.

use aistack_core::InstallationId;
use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

/// The page that asks for fields, shows a code or waits. It begins a sign-in of its own, as JSON.
pub(super) fn sign_in_page(prefix: &str, id: InstallationId, return_to: Option<&str>) -> String {
    let console = format!("{prefix}/console");
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("connection", &id.to_string());
    // The page's own paths begin below the console.
    if let Some(path) = return_to
        .and_then(|path| path.strip_prefix(&console))
        .filter(|path| path.starts_with('/'))
    {
        query.append_pair("return", path);
    }
    format!("{console}/login?{}", query.finish())
}

/// A page that posts itself (SAML's POST binding); without scripts there is a button.
pub(super) fn form_page(url: &str, fields: &[(String, String)]) -> Response {
    let escape = |s: &str| {
        s.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
    };
    let inputs: String = fields
        .iter()
        .map(|(k, v)| format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(k), escape(v)))
        .collect();
    let page = format!(
        "<!doctype html><meta charset=\"utf-8\"><title>Sign in</title><form method=\"post\" action=\"{}\">{inputs}\
         <button>Continue · 继续</button></form><script>document.forms[0].submit()</script>",
        escape(url)
    );
    // The hash of the one line of script above: nothing else may run here.
    let policy = "default-src 'none'; script-src 'sha256-ePniVEkSivX/c7XWBGafqh8tSpiRrKiqYeqbG7N1TOE='; base-uri 'none'; frame-ancestors 'none'";
    (
        [
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/html; charset=utf-8"),
            ),
            (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
        ],
        page,
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_needs_a_page_leads_to_the_sign_in_page() {
        let id = InstallationId(uuid::Uuid::nil());
        let page = |prefix: &str, to: Option<&str>| sign_in_page(prefix, id, to);
        assert_eq!(page("", None), format!("/console/login?connection={id}"));
        let orders = format!("/t/acme/console/login?connection={id}&return=%2Forders");
        assert_eq!(page("/t/acme", Some("/t/acme/console/orders")), orders);
        for foreign in ["/elsewhere", "/console", "/consoles/x", "//evil.example"] {
            assert_eq!(
                page("", Some(foreign)),
                format!("/console/login?connection={id}"),
                "{foreign}"
            );
        }
    }
}
