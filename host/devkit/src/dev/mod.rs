//! The author's server: builds when a file changes, swaps the component in place, shows the configuration's form as
//! tenants will see it, takes deliveries and calls. It listens on this machine alone.

mod page;
mod server;
mod watch;

use crate::{
    Error, ops,
    project::{Project, Settings},
    run::{Options, Platform, Runner},
};
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::net::TcpListener;

/// Calls that are shown.
const KEPT: usize = 20;

/// What the server has to tell while it runs.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    /// It listens there.
    Listening {
        /// Its address, `http://127.0.0.1:…`.
        url: String,
    },
    /// A component was built and is in place.
    Swapped {
        /// Time to build it, in milliseconds.
        build_ms: u64,
        /// Time to check, compile and swap it, in milliseconds.
        swap_ms: u64,
        /// Its bytes.
        size: u64,
        /// Its digest.
        digest: String,
    },
    /// It could not be built, or a host refuses it; the one before stays in place.
    Refused {
        /// The problem document.
        problem: Value,
    },
    /// A call or delivery was made.
    Called {
        /// The operation.
        operation: String,
        /// `ok`, or the fault's code.
        outcome: String,
        /// The whole call, in microseconds.
        wall_us: u64,
    },
}

/// What is shared by the watcher and the server.
pub(crate) struct Shared {
    pub(crate) dir: PathBuf,
    options: Options,
    /// Whether components keep names and line tables.
    debug: bool,
    state: Mutex<State>,
    say: Box<dyn Fn(&Event) + Send + Sync>,
}

#[derive(Default)]
struct State {
    runner: Option<Arc<Runner>>,
    /// Lives as long as the server, so that state outlasts a rebuild.
    platform: Option<Arc<Platform>>,
    problem: Option<Value>,
    built: Option<Value>,
    calls: VecDeque<Value>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tell(&self, event: &Event) {
        (self.say)(event);
    }

    /// The component in place.
    pub(crate) fn runner(&self) -> Option<Arc<Runner>> {
        self.state().runner.clone()
    }

    pub(crate) fn refused(&self, e: &Error) {
        let problem = e.document();
        self.state().problem = Some(problem.clone());
        self.tell(&Event::Refused { problem });
    }

    /// Puts a component in place.
    pub(crate) async fn put(&self, bytes: &[u8], build_ms: u64) -> Result<(), Error> {
        let clock = Arc::clone(&self.options.clock);
        let start = clock.monotonic();
        let runner = match self.runner() {
            Some(runner) => {
                runner.swap(bytes).await?;
                runner
            }
            None => Arc::new(Runner::start(bytes, self.options.clone()).await?),
        };
        let swap_ms = u64::try_from(clock.monotonic().saturating_sub(start).as_millis()).unwrap_or(u64::MAX);
        let inspection = runner.loaded().inspection.clone();
        let event = Event::Swapped {
            build_ms,
            swap_ms,
            size: inspection.size,
            digest: format!("sha256:{}", inspection.digest),
        };
        {
            let mut state = self.state();
            state.runner = Some(runner);
            state.problem = None;
            state.built = serde_json::to_value(&event).ok();
        }
        self.tell(&event);
        Ok(())
    }

    /// Calls an operation with the settings as they are now.
    pub(crate) async fn call(&self, operation: &str, arguments: Value) -> Result<ops::Called, Error> {
        let runner = self.runner().ok_or_else(|| Error::Build {
            what: "there is no component in place yet".to_owned(),
            hint: "see /status for what is wrong with it".to_owned(),
        })?;
        let settings = Settings::of(&self.dir)?;
        let known = self.state().platform.clone();
        let platform = match known {
            Some(platform) => platform,
            None => {
                let made = Platform::new(&settings)?;
                Arc::clone(self.state().platform.get_or_insert(made))
            }
        };
        platform.provide(&settings)?;
        let called = ops::call(&runner, &settings, &self.dir, &platform, operation, arguments).await?;
        let mut document = called.document();
        document["operation"] = operation.into();
        {
            let mut state = self.state();
            state.calls.push_front(document);
            state.calls.truncate(KEPT);
        }
        self.tell(&Event::Called {
            operation: operation.to_owned(),
            outcome: called
                .result
                .as_ref()
                .err()
                .map_or_else(|| "ok".to_owned(), |f| f.code.clone()),
            wall_us: called
                .receipt
                .as_ref()
                .map_or(0, |r| u64::try_from(r.wall.as_micros()).unwrap_or(u64::MAX)),
        });
        Ok(called)
    }

    /// Everything at a glance.
    pub(crate) fn status(&self) -> Value {
        let state = self.state();
        let plugin = state.runner.as_ref().map(|r| {
            let loaded = r.loaded();
            let m = &loaded.manifest;
            json!({
                "id": m.id, "version": m.version, "kind": loaded.inspection.kind.as_str(),
                "endpoints": m.endpoint.iter().map(|e| e.name.clone()).collect::<Vec<_>>(),
                "operations": ops::known(loaded.inspection.kind),
            })
        });
        json!({ "plugin": plugin, "built": state.built, "problem": state.problem, "calls": state.calls })
    }
}

/// Serves until the task is dropped. With `debug`, components keep names and line tables.
///
/// # Errors
/// When there is no project in the folder, or the port is taken.
pub async fn serve(
    dir: PathBuf,
    port: u16,
    debug: bool,
    options: Options,
    say: impl Fn(&Event) + Send + Sync + 'static,
) -> Result<(), Error> {
    // Everything else can be put right while it runs.
    Project::open(&dir)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let taken = |e| {
        Error::Failed(format!(
            "can't listen on {address}: {e}; take another --port, or 0 for a free one"
        ))
    };
    let listener = TcpListener::bind(address).await.map_err(taken)?;
    let address = listener.local_addr().map_err(taken)?;
    let shared = Arc::new(Shared {
        dir,
        options,
        debug,
        state: Mutex::default(),
        say: Box::new(say),
    });
    shared.tell(&Event::Listening {
        url: format!("http://{address}"),
    });
    tokio::select! {
        () = watch::run(Arc::clone(&shared)) => {}
        () = server::run(listener, address.port(), Arc::clone(&shared)) => {}
    }
    Ok(())
}
