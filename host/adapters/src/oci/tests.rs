//! Against a registry of a hundred lines that keeps what it is given, checks digests itself, and lies when told to.

use super::*;
use aistack_core::Timestamp;
use aistack_domain::port::RegistryError;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

/// The smallest component there is.
const EMPTY: [u8; 8] = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];
const MAX: u64 = 1 << 20;

type Lie = fn(&str, &str, Response<Full<Bytes>>) -> Response<Full<Bytes>>;

#[derive(Default)]
struct Kept {
    blobs: BTreeMap<String, Bytes>,
    manifests: BTreeMap<String, Bytes>,
    /// Method and target, in order.
    asked: Vec<String>,
}

struct Fake {
    at: SocketAddr,
    kept: Arc<Mutex<Kept>>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn plain(status: u16, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    Response::builder().status(status).body(Full::new(body.into())).unwrap()
}

impl Fake {
    /// `secret`: a password, and tokens are demanded.
    async fn start(secret: Option<&'static str>, lie: Lie) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let kept = Arc::<Mutex<Kept>>::default();
        let shared = Arc::clone(&kept);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&shared);
                let service = service_fn(move |request: Request<Incoming>| {
                    let kept = Arc::clone(&kept);
                    async move {
                        let (head, body) = request.into_parts();
                        let body = body.collect().await.unwrap().to_bytes();
                        let target = head.uri.path_and_query().unwrap().to_string();
                        let authorization = head
                            .headers
                            .get("authorization")
                            .map(|v| v.to_str().unwrap().to_owned());
                        kept.lock().unwrap().asked.push(format!("{} {target}", head.method));
                        let method = head.method.as_str().to_owned();
                        let answer = match secret {
                            Some(secret) if target.starts_with("/token") => token(secret, authorization.as_deref()),
                            Some(_) if authorization.as_deref() != Some("Bearer good") => challenge(at),
                            _ => answer(&kept, &method, &target, body),
                        };
                        Ok::<_, Infallible>(lie(&method, &target, answer))
                    }
                });
                tokio::spawn(async move {
                    let http = hyper::server::conn::http1::Builder::new();
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { at, kept, server }
    }

    async fn honest() -> Self {
        Self::start(None, |_, _, answer| answer).await
    }

    fn reference(&self, rest: &str) -> Reference {
        format!("oci://{}/{rest}", self.at).parse().unwrap()
    }

    /// Puts a component there, as it is; says where.
    fn hold(&self, component: &[u8], change: impl FnOnce(&mut serde_json::Value)) -> String {
        let (manifest, config) = layout::lay_out(&EMPTY, Timestamp(0)).unwrap();
        let mut manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        manifest["layers"][0]["digest"] = digest(component).into();
        manifest["layers"][0]["size"] = component.len().into();
        change(&mut manifest);
        let mut kept = self.kept.lock().unwrap();
        for blob in [component.to_vec(), config] {
            kept.blobs.insert(digest(&blob), blob.into());
        }
        kept.manifests.insert("1".into(), manifest.to_string().into());
        format!("oci://{}/acme/pay:1", self.at)
    }

    fn asked(&self) -> Vec<String> {
        self.kept.lock().unwrap().asked.clone()
    }
}

fn challenge(at: SocketAddr) -> Response<Full<Bytes>> {
    let header = format!(r#"Bearer realm="http://{at}/token",service="fake""#);
    Response::builder()
        .status(401)
        .header("www-authenticate", header)
        .body(Full::default())
        .unwrap()
}

fn token(secret: &str, authorization: Option<&str>) -> Response<Full<Bytes>> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    if authorization == Some(&format!("Basic {}", STANDARD.encode(format!("me:{secret}")))) {
        plain(200, r#"{"token":"good"}"#)
    } else {
        plain(401, "")
    }
}

fn answer(kept: &Mutex<Kept>, method: &str, target: &str, body: Bytes) -> Response<Full<Bytes>> {
    let mut kept = kept.lock().unwrap();
    let rest = target.strip_prefix("/v2/acme/pay/").unwrap_or_default();
    match (method, rest.split_once('/').unwrap_or_default()) {
        ("GET", ("manifests", wanted)) => {
            let found = kept.manifests.get(wanted).cloned();
            let found = found.or_else(|| kept.manifests.values().find(|m| digest(m) == wanted).cloned());
            found.map_or_else(|| plain(404, ""), |m| plain(200, m))
        }
        ("PUT", ("manifests", tag)) => {
            let named: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let has = |d: &serde_json::Value| kept.blobs.contains_key(d["digest"].as_str().unwrap());
            if !(has(&named["config"]) && has(&named["layers"][0])) {
                return plain(400, r#"{"errors":[{"message":"blob unknown"}]}"#);
            }
            kept.manifests.insert(tag.to_owned(), body);
            plain(201, "")
        }
        ("GET" | "HEAD", ("blobs", wanted)) => kept
            .blobs
            .get(wanted)
            .map_or_else(|| plain(404, ""), |b| plain(200, b.clone())),
        ("POST", ("blobs", _)) => {
            let to = "/v2/acme/pay/blobs/uploads/7?state=x";
            Response::builder()
                .status(202)
                .header("location", to)
                .body(Full::default())
                .unwrap()
        }
        ("PUT", ("blobs", rest)) => {
            let said = rest.rsplit_once("digest=").unwrap().1.replace("%3A", ":");
            if said != digest(&body) {
                return plain(400, r#"{"errors":[{"message":"digest invalid"}]}"#);
            }
            kept.blobs.insert(said, body);
            plain(201, "")
        }
        _ => plain(404, ""),
    }
}

fn anyone() -> OciRegistries {
    OciRegistries::any(Credentials::default()).unwrap()
}

#[tokio::test]
async fn what_is_published_can_be_pulled_by_tag_and_by_digest() {
    let fake = Fake::honest().await;
    let to = fake.reference("acme/pay:1");
    let done = anyone().publish(&to, &EMPTY, Timestamp(0), false).await.unwrap();
    assert!(!done.was_there && done.component == digest(&EMPTY));
    for reference in [to.to_string(), done.reference.to_string(), {
        format!("oci://{}/acme/pay@{}", fake.at, done.reference.digest.as_ref().unwrap())
    }] {
        let pulled = anyone().pull(&reference, MAX).await.unwrap();
        assert_eq!(pulled.component, EMPTY);
        assert_eq!(Some(pulled.manifest), done.reference.digest);
    }
    // The same again is the same; something else needs to be meant.
    assert!(
        anyone()
            .publish(&to, &EMPTY, Timestamp(9), false)
            .await
            .unwrap()
            .was_there
    );
    let other = [EMPTY.as_slice(), &[0, 2, 1, b'x']].concat();
    let taken = anyone().publish(&to, &other, Timestamp(0), false).await;
    assert!(matches!(taken, Err(RegistryError::Taken(_))), "{taken:?}");
    anyone().publish(&to, &other, Timestamp(0), true).await.unwrap();
    assert_eq!(anyone().pull(&to.to_string(), MAX).await.unwrap().component, other);
    let pinned = done.reference.to_string();
    assert!(
        anyone().pull(&pinned, MAX).await.is_err(),
        "this registry keeps one manifest a tag"
    );
    let not_a_component = anyone().publish(&to, b"hello", Timestamp(0), true).await;
    assert!(matches!(not_a_component, Err(RegistryError::Layout(_))));
}

#[tokio::test]
async fn a_token_is_fetched_with_the_credentials_of_the_registry_alone() {
    let fake = Fake::start(Some("pass"), |_, _, answer| answer).await;
    let to = fake.reference("acme/pay:1");
    let denied = anyone().publish(&to, &EMPTY, Timestamp(0), false).await;
    assert!(matches!(denied, Err(RegistryError::Denied(_))), "{denied:?}");
    let file = tempfile::NamedTempFile::new().unwrap();
    let with = |host: String| {
        let text = serde_json::json!({"auths": {host: {"username": "me", "password": "pass"}}});
        std::fs::write(file.path(), text.to_string()).unwrap();
        OciRegistries::any(Credentials::read(file.path()).unwrap()).unwrap()
    };
    let ours = with(fake.at.to_string());
    ours.publish(&to, &EMPTY, Timestamp(0), false).await.unwrap();
    assert_eq!(ours.pull(&to.to_string(), MAX).await.unwrap().component, EMPTY);
    let asked = fake.asked();
    let scope = "scope=repository%3Aacme%2Fpay%3Apull";
    assert!(
        asked
            .iter()
            .any(|a| a.starts_with("GET /token?") && a.contains(scope) && a.contains("service=fake")),
        "{asked:?}"
    );
    let elsewhere = with("other.example".to_owned()).pull(&to.to_string(), MAX).await;
    assert!(matches!(elsewhere, Err(RegistryError::Denied(_))));
}

#[tokio::test]
async fn content_that_is_not_what_its_digest_says_is_refused() {
    let fake = Fake::start(None, |method, target, answer| {
        if method == "GET" && target.contains("/blobs/") {
            plain(200, "somebo")
        } else {
            answer
        }
    })
    .await;
    let reference = fake.hold(b"genuin", |_| {});
    let swapped = anyone().pull(&reference, MAX).await;
    assert!(matches!(swapped, Err(RegistryError::Digest { .. })), "{swapped:?}");

    let fake = Fake::start(None, |_, target, answer| {
        if target.contains("/manifests/sha256") {
            plain(200, "{}")
        } else {
            answer
        }
    })
    .await;
    let pinned = format!("{}@{}", fake.hold(&EMPTY, |_| {}), digest(b"another manifest"));
    assert!(matches!(
        anyone().pull(&pinned, MAX).await,
        Err(RegistryError::Digest { .. })
    ));
}

#[tokio::test]
async fn what_is_too_large_is_not_read() {
    let fake = Fake::honest().await;
    let reference = fake.hold(&[7; 5000], |_| {});
    let refused = anyone().pull(&reference, 4096).await;
    assert!(
        matches!(refused, Err(RegistryError::TooLarge { size: 5000, max: 4096 })),
        "{refused:?}"
    );
    assert!(
        !fake.asked().iter().any(|a| a.contains("/blobs/")),
        "its size was known before"
    );
    // A manifest that says less than the blob has does not help.
    let reference = fake.hold(&[7; 5000], |m| m["layers"][0]["size"] = 10.into());
    let refused = anyone().pull(&reference, 4096).await;
    assert!(
        matches!(refused, Err(RegistryError::TooLarge { max: 10, .. })),
        "{refused:?}"
    );
    // Nor does a manifest without end.
    let fake = Fake::start(None, |_, _, _| plain(200, vec![b' '; 5 << 20])).await;
    let refused = anyone().pull(&fake.reference("acme/pay:1").to_string(), MAX).await;
    assert!(matches!(refused, Err(RegistryError::TooLarge { .. })), "{refused:?}");
}

#[tokio::test]
async fn what_is_not_laid_out_as_a_component_is_refused() {
    let fake = Fake::honest().await;
    let image = "application/vnd.oci.image.config.v1+json";
    let changes: [fn(&mut serde_json::Value); 5] = [
        |m| m["config"]["mediaType"] = "application/vnd.oci.image.config.v1+json".into(),
        |m| m["layers"] = serde_json::json!([]),
        |m| m["layers"][0]["mediaType"] = "application/vnd.oci.image.layer.v1.tar+gzip".into(),
        |m| m["mediaType"] = "application/vnd.oci.image.index.v1+json".into(),
        |m| m["layers"][0]["digest"] = "sha256:../../etc".into(),
    ];
    for change in changes {
        let reference = fake.hold(&EMPTY, change);
        let refused = anyone().pull(&reference, MAX).await;
        assert!(matches!(refused, Err(RegistryError::Layout(_))), "{refused:?}");
    }
    let reference = fake.hold(&EMPTY, |m| m["config"]["mediaType"] = image.into());
    assert!(
        anyone()
            .pull(&reference, MAX)
            .await
            .unwrap_err()
            .to_string()
            .contains(image)
    );
    let none = anyone().pull(&fake.reference("acme/pay:2").to_string(), MAX).await;
    assert!(matches!(none, Err(RegistryError::NotFound(_))));
}

#[tokio::test]
async fn a_server_goes_to_listed_registries_and_nowhere_they_point_inside() {
    let inside = Fake::honest().await;
    let reference = inside.hold(&EMPTY, |_| {});
    let host = inside.at.to_string();
    let none = OciRegistries::listed(&[], Credentials::default()).unwrap();
    assert!(matches!(
        none.pull(&reference, MAX).await,
        Err(RegistryError::NotListed(_))
    ));
    assert!(inside.asked().is_empty(), "it was not even asked");
    let listed = OciRegistries::listed(std::slice::from_ref(&host), Credentials::default()).unwrap();
    assert_eq!(listed.pull(&reference, MAX).await.unwrap().component, EMPTY);

    // A listed registry that sends us to another port of this machine for its content.
    static SECRET: std::sync::OnceLock<SocketAddr> = std::sync::OnceLock::new();
    let secret = Fake::honest().await;
    SECRET.set(secret.at).unwrap();
    let pointing = Fake::start(None, |method, target, answer| {
        if method == "GET" && target.contains("/blobs/") {
            let to = format!("http://{}/v2/acme/pay/blobs/x", SECRET.get().unwrap());
            return Response::builder()
                .status(307)
                .header("location", to)
                .body(Full::default())
                .unwrap();
        }
        answer
    })
    .await;
    let reference = pointing.hold(&EMPTY, |_| {});
    let listed = OciRegistries::listed(&[pointing.at.to_string()], Credentials::default()).unwrap();
    let refused = listed.pull(&reference, MAX).await;
    assert!(matches!(refused, Err(RegistryError::Failed { .. })), "{refused:?}");
    assert!(secret.asked().is_empty(), "nobody asked inside");
}

#[tokio::test]
async fn the_layout_is_the_one_that_wkg_writes() {
    // As wkg 0.11 pushes it, shortened.
    let wkg = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":
        "application/vnd.wasm.config.v0+json","digest":"sha256:5c9e03a1d1f2c43f0a0ee7e7dc4a0f3cf3c8f57a5e4b3c2d1e0f9a8b7c6d5e4f","size":345},
        "layers":[{"mediaType":"application/wasm","digest":"sha256:aa","size":12}],"annotations":{"org.opencontainers.image.version":"0.1.0"}}"#;
    assert_eq!(layout::Manifest::component(wkg.as_bytes()).unwrap().size, 12);
    let (manifest, config) = layout::lay_out(&EMPTY, "2026-01-02T03:04:05Z".parse().unwrap()).unwrap();
    let read = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
    let digest_of_layer = digest(&EMPTY);
    assert_eq!(
        read(&config),
        serde_json::json!({"created": "2026-01-02T03:04:05Z", "architecture": "wasm", "os": "wasip2", "layerDigests": [digest_of_layer],
            "component": {"exports": [], "imports": [], "target": null}})
    );
    assert_eq!(
        read(&manifest),
        serde_json::json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.wasm.config.v0+json", "digest": digest(&config), "size": config.len()},
            "layers": [{"mediaType": "application/wasm", "digest": digest_of_layer, "size": 8}]})
    );
}
