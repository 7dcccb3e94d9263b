//! A clock that stands where it is put, dice with a memory, a receiver of webhooks, and a browser of sorts.

use aistack_core::{Clock, Rng, Timestamp};
use aistack_simulators::{Options, Running, find};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sha2::Digest as _;
use std::sync::atomic::{AtomicI64, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// 2026-01-01, 00:00 UTC.
pub(crate) const START_S: i64 = 1_767_225_600;

#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
    pub(crate) fn seconds(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.seconds())
    }
    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.seconds().unsigned_abs())
    }
}

#[derive(Debug, Default)]
struct Dice(AtomicU64);

impl Rng for Dice {
    fn fill(&self, buf: &mut [u8]) {
        for chunk in buf.chunks_mut(32) {
            let throw = self.0.fetch_add(1, Ordering::Relaxed);
            chunk.copy_from_slice(&sha2::Sha256::digest(throw.to_be_bytes())[..chunk.len()]);
        }
    }
}

/// A running simulator with everything a test needs.
pub(crate) struct Bench {
    pub(crate) sim: Running,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) http: reqwest::Client,
}

impl Bench {
    pub(crate) async fn start(name: &str) -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(START_S)));
        let options = Options {
            listen: "127.0.0.1:0".parse().unwrap(),
            clock: clock.clone(),
            rng: Arc::new(Dice::default()),
            seed: 1,
            webhook: None,
        };
        let sim = find(name).unwrap().start(options).await.unwrap();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self { sim, clock, http }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sim.control_url)
    }

    pub(crate) fn config(&self, name: &str) -> &str {
        self.sim.config[name].as_str().unwrap()
    }

    pub(crate) fn secret(&self, name: &str) -> &str {
        self.sim.secrets[name].as_str().unwrap()
    }

    /// Asks the control plane; the answer has to be good.
    pub(crate) async fn control(&self, path: &str, body: Value) -> Value {
        let answer = self
            .http
            .post(self.url(&format!("/_sim/{path}")))
            .json(&body)
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {body}");
        body
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.http
            .get(self.url(path))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }
}

/// A webhook as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Delivery {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }
}

/// Receives webhooks.
pub(crate) struct Hook {
    pub(crate) url: String,
    got: Arc<Mutex<Vec<Delivery>>>,
    status: Arc<AtomicU16>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Hook {
    pub(crate) async fn start(answer: &'static str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let got: Arc<Mutex<Vec<Delivery>>> = Arc::default();
        let status = Arc::new(AtomicU16::new(200));
        let (seen, code) = (got.clone(), status.clone());
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (seen, code) = (seen.clone(), code.clone());
                tokio::spawn(async move {
                    let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
                        let (seen, code) = (seen.clone(), code.clone());
                        async move {
                            let (head, body) = request.into_parts();
                            let body = body.collect().await?.to_bytes().to_vec();
                            seen.lock().unwrap().push(Delivery {
                                headers: head.headers,
                                body,
                            });
                            let status = code.load(Ordering::Relaxed);
                            let answer = http::Response::builder()
                                .status(status)
                                .body(Full::<bytes::Bytes>::from(answer));
                            Ok::<_, hyper::Error>(answer.unwrap())
                        }
                    });
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { url, got, status, task }
    }

    pub(crate) fn answer_with(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    /// Everything that arrived since the last time.
    pub(crate) fn take(&self) -> Vec<Delivery> {
        std::mem::take(&mut self.got.lock().unwrap())
    }

    /// Waits until something arrived.
    pub(crate) async fn wait(&self, count: usize) -> Vec<Delivery> {
        for _ in 0..500 {
            if self.got.lock().unwrap().len() >= count {
                return self.take();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!(
            "{count} webhooks were expected, {} came",
            self.got.lock().unwrap().len()
        );
    }
}

/// Whether `signature` (base64) over `message` is that of the public key, by the crate `rsa`.
pub(crate) fn rsa_verifies(public_pem: &str, message: &str, signature: &str) -> bool {
    use base64::Engine as _;
    use rsa::pkcs8::DecodePublicKey as _;
    let key = rsa::RsaPublicKey::from_public_key_pem(public_pem).unwrap();
    let signature = base64::engine::general_purpose::STANDARD.decode(signature).unwrap();
    let digest = sha2::Sha256::digest(message.as_bytes());
    key.verify(rsa::Pkcs1v15Sign::new::<sha2::Sha256>(), &digest, &signature)
        .is_ok()
}

/// Signs with a private key in PEM, by the crate `rsa`; base64.
pub(crate) fn rsa_sign(private_pem: &str, message: &str) -> String {
    use base64::Engine as _;
    use rsa::pkcs8::DecodePrivateKey as _;
    let key = rsa::RsaPrivateKey::from_pkcs8_pem(private_pem).unwrap();
    let digest = sha2::Sha256::digest(message.as_bytes());
    let signature = key.sign(rsa::Pkcs1v15Sign::new::<sha2::Sha256>(), &digest).unwrap();
    base64::engine::general_purpose::STANDARD.encode(signature)
}

/// The public key of a certificate in PEM, as PEM, by the crate x509-parser.
pub(crate) fn public_key_of(certificate_pem: &str) -> String {
    use base64::Engine as _;
    let (_, pem) = x509_parser::pem::parse_x509_pem(certificate_pem.as_bytes()).unwrap();
    let der = pem.parse_x509().unwrap().public_key().raw.to_vec();
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(|l| std::str::from_utf8(l).unwrap())
        .collect();
    format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        lines.join("\n")
    )
}
