//! The shell around every simulator: server, control plane, faults, log, deliveries.

mod control;
mod deliver;
pub(crate) mod faults;
mod log;
pub(crate) mod page;

use crate::material::Material;
use crate::wire::{Call, Notice, Refusal, Reply, Text};
use aistack_core::{Clock, Rng};
use bytes::Bytes;
use deliver::Courier;
use faults::{Armed, Faults, Knob, Rotation};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

/// Largest request that is read.
const MOST_BYTES: usize = 1 << 20;
/// How long "never answer" lasts.
const NEVER: Duration = Duration::from_mins(1);

/// How to start a simulator.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one. `ldap` takes the next port (or another free one) for LDAP itself.
    pub listen: SocketAddr,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Makes the ids of orders and the like, which must not repeat after a restart.
    pub rng: Arc<dyn Rng>,
    /// Keys, certificates and secrets come from it: the same seed, the same configuration.
    pub seed: u64,
    /// Where webhooks go that name no address of their own: the plugin's inbound endpoint.
    pub webhook: Option<String>,
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address can't be listened on.
    #[error("can't listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Making keys and certificates failed.
    #[error("can't make the keys: {0}")]
    Material(String),
}

/// A provider that can be simulated.
#[derive(Debug)]
pub struct Simulator {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it stands for.
    pub title: Text,
    /// Its knobs beside those that every simulator has.
    pub(crate) knobs: &'static [Knob],
    pub(crate) build: fn(&Base) -> Result<Parts, StartError>,
}

/// What a simulator is built from.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    /// `http://127.0.0.1:…`, without a slash at the end.
    pub(crate) url: String,
    pub(crate) address: SocketAddr,
    pub(crate) material: Material,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) faults: Faults,
    pub(crate) log: Arc<log::Log>,
}

/// What building gives.
pub(crate) struct Parts {
    pub(crate) counterpart: Arc<dyn Counterpart>,
    /// Paste-ready configuration of the plugin, secrets as `{"$secret": name}`.
    pub(crate) config: Value,
    /// The secrets by name.
    pub(crate) secrets: Value,
    pub(crate) notes: Vec<Text>,
    /// Where the provider is, when that is not the HTTP address.
    pub(crate) address: Option<String>,
    /// A server of its own protocol.
    pub(crate) task: Option<JoinHandle<()>>,
}

/// The provider itself: synchronous, its state in memory.
pub(crate) trait Counterpart: Send + Sync {
    /// Answers a request.
    fn handle(&self, call: &Call, armed: &Armed) -> Reply;
    /// The payer (or person) does their part for an order; returns the webhooks that tell about it.
    fn pay(&self, reference: &str, how: &Value, armed: &Armed) -> Result<Vec<Notice>, Refusal> {
        let _ = (how, armed);
        Err(Refusal::unknown_order(reference))
    }
    /// Makes one webhook.
    fn deliver(&self, what: &Value, armed: &Armed) -> Result<Vec<Notice>, Refusal> {
        let _ = (what, armed);
        Err(Refusal::new(
            404,
            "no_webhooks",
            "this provider sends no webhooks",
            "GET / says what it does",
        ))
    }
    /// Replaces the signing key.
    fn rotate(&self, how: Rotation) {
        let _ = how;
    }
    /// Forgets everything but the keys.
    fn reset(&self);
    /// What it knows.
    fn state(&self) -> Value;
}

/// A running simulator. Stops when it is dropped.
#[derive(Debug)]
pub struct Running {
    /// The simulator's name.
    pub name: &'static str,
    /// Where the provider is.
    pub base_url: String,
    /// Where the control plane and the page are; the same as `base_url` for providers that speak HTTP.
    pub control_url: String,
    /// Configuration of the plugin, ready to be pasted; secrets stand there as `{"$secret": name}`.
    pub config: Value,
    /// The secrets by name.
    pub secrets: Value,
    /// What else there is to know.
    pub notes: Vec<Text>,
    /// The knobs.
    pub faults: Faults,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// Stops and waits until the port is free again.
    pub async fn stop(mut self) {
        for task in std::mem::take(&mut self.tasks) {
            task.abort();
            // Cancelled is what it should be.
            let _ = task.await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Simulator {
    /// Starts it.
    ///
    /// # Errors
    /// When the address is taken or keys can't be made.
    pub async fn start(&'static self, options: Options) -> Result<Running, StartError> {
        let address = options.listen;
        let failed = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let faults = Faults::new(self.knobs);
        let log = Arc::new(log::Log::default());
        let base = Base {
            url: format!("http://{bound}"),
            address: bound,
            material: Material::new(options.seed, self.name),
            clock: options.clock.clone(),
            rng: options.rng,
            faults: faults.clone(),
            log: log.clone(),
        };
        let url = base.url.clone();
        // Making RSA keys takes a while.
        let parts = tokio::task::spawn_blocking(move || (self.build)(&base))
            .await
            .map_err(|e| StartError::Material(e.to_string()))??;
        let shared = Arc::new(Shared {
            simulator: self,
            url: url.clone(),
            provider: parts.address.clone().unwrap_or_else(|| url.clone()),
            config: parts.config.clone(),
            secrets: parts.secrets.clone(),
            notes: parts.notes.clone(),
            counterpart: parts.counterpart,
            faults: faults.clone(),
            log,
            clock: options.clock,
            courier: Courier::new(),
            webhook: Mutex::new(options.webhook),
            order: Mutex::default(),
        });
        let mut tasks = vec![tokio::spawn(serve(listener, shared.clone()))];
        tasks.extend(parts.task);
        Ok(Running {
            name: self.name,
            base_url: shared.provider.clone(),
            control_url: url,
            config: parts.config,
            secrets: parts.secrets,
            notes: parts.notes,
            faults,
            tasks,
        })
    }
}

/// Everything a request may need.
pub(crate) struct Shared {
    pub(crate) simulator: &'static Simulator,
    pub(crate) url: String,
    pub(crate) provider: String,
    pub(crate) config: Value,
    pub(crate) secrets: Value,
    pub(crate) notes: Vec<Text>,
    pub(crate) counterpart: Arc<dyn Counterpart>,
    pub(crate) faults: Faults,
    pub(crate) log: Arc<log::Log>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) courier: Courier,
    pub(crate) webhook: Mutex<Option<String>>,
    /// Webhooks held back. The lock also puts operations in a row, so that `next` counts exactly.
    pub(crate) order: Mutex<Vec<Notice>>,
}

impl Shared {
    pub(crate) fn webhook(&self) -> Option<String> {
        self.webhook.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    pub(crate) fn order(&self) -> std::sync::MutexGuard<'_, Vec<Notice>> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    // Dropped with this task, and the connections with it.
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let shared = shared.clone();
        connections.spawn(async move {
            let service = hyper::service::service_fn(move |request| answer(shared.clone(), request));
            // A peer that went away, and connections cut on purpose, are nobody's error.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// The connection is cut instead of answered.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut on purpose")]
struct Cut;

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Cut> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, MOST_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => {
            let refusal = Refusal::new(413, "body_too_large", "more than 1 MiB, or cut short", "send less");
            return Ok(response(refusal.reply()));
        }
    };
    let call = Call {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
        at: shared.clock.now(),
    };
    if call.path == "/" || call.path == "/_sim" || call.path.starts_with("/_sim/") {
        return Ok(response(control::answer(&shared, &call).await));
    }
    provider(shared, call).await.map(response)
}

/// A request to the provider, with whatever is armed.
async fn provider(shared: Arc<Shared>, call: Call) -> Result<Reply, Cut> {
    let (mut reply, notices, cut, delay) = {
        let mut held = shared.order();
        let armed = shared.faults.look();
        let delay = armed.number("delay_ms").map(Duration::from_millis);
        let mut reply = match armed.number("status") {
            Some(status) => {
                let status = u16::try_from(status).unwrap_or(500);
                Reply::json(
                    status,
                    &json!({"error": {"message": "the simulator was asked to answer so"}}),
                )
            }
            None => shared.counterpart.handle(&call, &armed),
        };
        let cut = reply.charges && armed.on("timeout_after_charge");
        let notices = deliver::arrange(&mut held, std::mem::take(&mut reply.notices), &armed);
        let used = shared.faults.settle(&armed);
        let entry = json!({"method": call.method.as_str(), "target": log::target(&call.target()),
            "headers": log::headers(&call.headers), "body": log::body(call.header("content-type"), &call.body),
            "status": if cut { Value::Null } else { json!(reply.status) }, "faults": used});
        shared.log.add(call.at, "in", entry);
        (reply, notices, cut, delay)
    };
    if !notices.is_empty() {
        let shared = shared.clone();
        tokio::spawn(async move { deliver::send_all(&shared, notices).await });
    }
    if cut {
        tokio::time::sleep(delay.unwrap_or(NEVER)).await;
        return Err(Cut);
    }
    if let Some(delay) = delay {
        tokio::time::sleep(delay).await;
    }
    reply.headers.push(("cache-control", "no-store".to_owned()));
    Ok(reply)
}

fn response(reply: Reply) -> Response<Full<Bytes>> {
    let mut builder = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        builder = builder.header(*name, value);
    }
    builder.body(Full::from(reply.body)).unwrap_or_else(|_| {
        // A header from the caller's input that can't be one.
        let refusal = Refusal::new(
            400,
            "unprintable",
            "an input can't be part of a header",
            "send plain text",
        );
        response(refusal.reply())
    })
}
