//! A client that behaves as a browser does: keeps cookies per host, follows redirects where told, sends forms.

use crate::html::{self, Field};
use anyhow::{Context as _, bail, ensure};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Method, StatusCode};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use url::Url;

/// Redirects and forms a login may take before it is called a loop.
const MOST_STEPS: usize = 30;

/// A browser with its cookies. Clones share them, as tabs do.
#[derive(Clone)]
pub struct Browser {
    client: reqwest::Client,
    cookies: Arc<Mutex<Cookies>>,
}

/// An answer that is fully read.
#[derive(Debug, Clone)]
pub struct Page {
    /// Where it came from.
    pub url: Url,
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: reqwest::header::HeaderMap,
    /// Its body as text.
    pub body: String,
}

impl Page {
    /// Where a redirect leads.
    pub fn redirect(&self) -> Option<Url> {
        let location = self.headers.get(LOCATION)?.to_str().ok()?;
        self.status
            .is_redirection()
            .then(|| self.url.join(location).ok())
            .flatten()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none; the error shows the page.
    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        serde_json::from_str(&self.body).with_context(|| format!("{} from {}: {}", self.status, self.url, self.body))
    }
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

impl Browser {
    /// A browser without cookies. It finds every name under `localhost` on 127.0.0.1, as real ones do.
    pub fn new() -> Self {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .dns_resolver(LocalhostResolver)
            .build()
            .expect("a client without special wishes");
        Self {
            client,
            cookies: Arc::default(),
        }
    }

    /// A request that [`Browser::send`] will add cookies to.
    pub fn request(&self, method: Method, url: &Url) -> reqwest::RequestBuilder {
        self.client.request(method, url.clone())
    }

    /// Sends one request and reads the answer; redirects are not followed.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Page> {
        let answer = self.stream(request).await?;
        let (url, status, headers) = (answer.url().clone(), answer.status(), answer.headers().clone());
        Ok(Page {
            url,
            status,
            headers,
            body: answer.text().await?,
        })
    }

    /// Sends one request and answers as soon as the headers are there.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn stream(&self, request: reqwest::RequestBuilder) -> anyhow::Result<reqwest::Response> {
        let mut request = request.build()?;
        let header = self.cookies.lock().expect("cookies").header(request.url());
        if let Some(header) = header {
            request.headers_mut().insert(COOKIE, header.parse()?);
        }
        let answer = self.client.execute(request).await?;
        let mut cookies = self.cookies.lock().expect("cookies");
        for cookie in answer.headers().get_all(SET_COOKIE) {
            cookies.store(answer.url(), cookie.to_str()?);
        }
        drop(cookies);
        Ok(answer)
    }

    /// Gets a page; redirects are not followed.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn get(&self, url: &Url) -> anyhow::Result<Page> {
        self.send(self.request(Method::GET, url)).await
    }

    /// The value of a cookie that would be sent to `url`.
    pub fn cookie(&self, url: &Url, name: &str) -> Option<String> {
        self.cookies
            .lock()
            .expect("cookies")
            .matching(url)
            .find(|(key, _)| *key == name)
            .map(|(_, c)| c.value.clone())
    }

    /// Sets a cookie, as a page of `url` could.
    pub fn set_cookie(&self, url: &Url, cookie: &str) {
        self.cookies.lock().expect("cookies").store(url, cookie);
    }

    /// Opens `url`, follows every redirect, fills in every form with this name and password (consent pages have none
    /// and are simply sent), and stops before it would open an address that starts with `until`. That address is the answer.
    ///
    /// # Errors
    /// When a page is neither a redirect nor a form, or the way does not end.
    pub async fn login_with_form(&self, url: &Url, user: &str, password: &str, until: &str) -> anyhow::Result<Url> {
        let mut page = self.get(url).await?;
        let mut passwords_sent = 0;
        for _ in 0..MOST_STEPS {
            if let Some(next) = page.redirect() {
                if next.as_str().starts_with(until) {
                    return Ok(next);
                }
                page = self.get(&next).await?;
                continue;
            }
            let Some(form) = html::forms(&page.body).into_iter().next() else {
                bail!(
                    "{} from {} is neither a redirect nor a form: {}",
                    page.status,
                    page.url,
                    page.body
                );
            };
            if form.fields.iter().any(|field| field.kind == "password") {
                passwords_sent += 1;
                ensure!(passwords_sent == 1, "the provider refused the password: {}", page.body);
            }
            let action = page.url.join(&form.action)?;
            let filled: Vec<_> = form
                .fields
                .iter()
                .filter_map(|field| filled_in(field, user, password))
                .collect();
            page = self.send(self.request(Method::POST, &action).form(&filled)).await?;
        }
        bail!("no end after {MOST_STEPS} steps, last at {}", page.url)
    }
}

/// What a person leaves in a field: the pair that is sent, or none for what a browser would not send.
fn filled_in(field: &Field, user: &str, password: &str) -> Option<(String, String)> {
    let value = match field.kind.as_str() {
        "hidden" => field.value.clone(),
        "password" => password.to_owned(),
        "text" | "email" => user.to_owned(),
        _ => return None,
    };
    Some((field.name.clone(), value))
}

/// Cookies by host, path and name. `Secure` is not looked at: browsers take the whole of localhost for trustworthy.
#[derive(Default)]
struct Cookies {
    jar: BTreeMap<(String, String, String), Cookie>,
}

struct Cookie {
    value: String,
    /// Sent to names below the host, too.
    below: bool,
}

impl Cookies {
    fn matching(&self, url: &Url) -> impl Iterator<Item = (&str, &Cookie)> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let target = url.path().to_owned();
        self.jar.iter().filter_map(move |((domain, path, name), cookie)| {
            let same_host = *domain == host || (cookie.below && host.ends_with(&format!(".{domain}")));
            let below_path = target
                .strip_prefix(path.as_str())
                .is_some_and(|rest| path.ends_with('/') || rest.is_empty() || rest.starts_with('/'));
            (same_host && below_path).then_some((name.as_str(), cookie))
        })
    }

    fn header(&self, url: &Url) -> Option<String> {
        let pairs: Vec<_> = self
            .matching(url)
            .map(|(name, cookie)| format!("{name}={}", cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    fn store(&mut self, url: &Url, cookie: &str) {
        let mut parts = cookie.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let mut domain = url.host_str().unwrap_or_default().to_owned();
        let mut path = url.path().rsplit_once('/').map_or("/", |(folder, _)| folder).to_owned();
        if path.is_empty() {
            path.push('/');
        }
        let (mut below, mut gone) = (false, false);
        for part in parts {
            let (key, setting) = part.split_once('=').unwrap_or((part, ""));
            match key.to_ascii_lowercase().as_str() {
                "domain" if !setting.is_empty() => {
                    setting.trim_start_matches('.').clone_into(&mut domain);
                    below = true;
                }
                "path" if setting.starts_with('/') => setting.clone_into(&mut path),
                "max-age" => gone = setting.parse::<i64>().is_ok_and(|seconds| seconds <= 0),
                // Servers that delete a cookie by date use the epoch.
                "expires" => gone = gone || setting.contains("1970"),
                _ => {}
            }
        }
        let key = (domain, path, name.to_owned());
        if gone {
            self.jar.remove(&key);
        } else {
            self.jar.insert(
                key,
                Cookie {
                    value: value.to_owned(),
                    below,
                },
            );
        }
    }
}

/// Finds `localhost` and every name below it on 127.0.0.1, and nothing else: tests talk to nobody outside.
struct LocalhostResolver;

impl reqwest::dns::Resolve for LocalhostResolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let name = name.as_str().to_owned();
        Box::pin(async move {
            if name == "localhost" || name.ends_with(".localhost") {
                let addresses: reqwest::dns::Addrs = Box::new(std::iter::once(([127, 0, 0, 1], 0).into()));
                Ok(addresses)
            } else {
                Err(format!("{name} is not on this machine").into())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn cookies_stay_with_their_host_and_path() {
        let mut cookies = Cookies::default();
        cookies.store(&url("http://acme.localhost/a/b"), "one=1; Path=/; Secure; HttpOnly");
        cookies.store(&url("http://acme.localhost/a/b"), "two=2");
        cookies.store(&url("http://acme.localhost/"), "three=3; Domain=localhost; Path=/");
        assert_eq!(
            cookies.header(&url("http://acme.localhost/a/c")).as_deref(),
            Some("one=1; two=2; three=3")
        );
        assert_eq!(
            cookies.header(&url("http://acme.localhost/ab")).as_deref(),
            Some("one=1; three=3")
        );
        assert_eq!(
            cookies.header(&url("http://other.localhost/a/")).as_deref(),
            Some("three=3")
        );
        assert_eq!(cookies.header(&url("http://example.test/")), None);
        cookies.store(&url("http://acme.localhost/"), "one=; Path=/; Max-Age=0");
        assert_eq!(
            cookies.header(&url("http://acme.localhost/")).as_deref(),
            Some("three=3")
        );
    }

    #[tokio::test]
    async fn names_outside_this_machine_are_not_found() {
        let error = Browser::new().get(&url("http://example.test/")).await.unwrap_err();
        assert!(format!("{error:#}").contains("not on this machine"), "{error:#}");
    }
}
