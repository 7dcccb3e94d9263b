//! A wire to PostgreSQL that breaks where a test says: at the commit of one particular transaction, before it reaches the
//! database or after it has happened there and nobody was told.

use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::{JoinHandle, JoinSet},
};

/// `Query` with the text COMMIT, as a client sends it.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";
/// `CommandComplete` for it, as the server answers.
const COMMITTED: &[u8] = b"C\0\0\0\x0bCOMMIT\0";

/// Where the wire breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// Before the commit: the connection is cut, so the transaction is rolled back.
    BeforeCommit,
    /// After it: the database has committed, and its answer never arrives.
    AfterCommit,
}

struct Armed {
    at: Break,
    /// Stands among the parameters of the transaction that is meant.
    needle: Vec<u8>,
    /// So many transactions with the needle pass before.
    skip: usize,
}

#[derive(Default)]
struct State {
    armed: Mutex<Option<Armed>>,
    broken: Notify,
}

/// A proxy on a port of its own. Dropping it ends it.
pub struct PostgresProxy {
    port: u16,
    state: Arc<State>,
    server: JoinHandle<()>,
}

impl Drop for PostgresProxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl PostgresProxy {
    /// Starts one before the cluster at `port` of this machine.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(port: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let own = listener.local_addr()?.port();
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        let server = tokio::spawn(async move {
            let mut wires = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                wires.spawn(async move {
                    if let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await {
                        wire(client, server, &state).await;
                    }
                });
                while wires.try_join_next().is_some() {}
            }
        });
        Ok(Self {
            port: own,
            state,
            server,
        })
    }

    /// A database's URL that goes through here.
    pub fn through(&self, url: &str, port: u16) -> String {
        url.replace(&format!("127.0.0.1:{port}/"), &format!("127.0.0.1:{}/", self.port))
    }

    /// Breaks the wire at the commit of the transaction that has `needle` among its parameters; so many of them pass
    /// before. Once.
    pub fn arm(&self, at: Break, needle: &str, skip: usize) {
        *self.state.armed.lock().expect("armed") = Some(Armed {
            at,
            needle: needle.as_bytes().to_vec(),
            skip,
        });
    }

    /// Waits until it broke.
    pub async fn broken(&self) {
        self.state.broken.notified().await;
    }
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|w| w == needle)
}

/// Carries one connection both ways until either side ends, or it is broken.
async fn wire(client: TcpStream, server: TcpStream, state: &State) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    // What the client sent since its last commit, to know the transaction by.
    let mut sent: Vec<u8> = Vec::new();
    let mut holding = false;
    let (mut up, mut down) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    loop {
        tokio::select! {
            read = from_client.read(&mut up) => {
                let Some(bytes) = read.ok().filter(|n| *n > 0).map(|n| &up[..n]) else { return };
                sent.extend_from_slice(bytes);
                if holds(&sent, COMMIT) {
                    match meant(state, &sent) {
                        Some(Break::BeforeCommit) => {
                            state.broken.notify_one();
                            return;
                        }
                        Some(Break::AfterCommit) => holding = true,
                        None => {}
                    }
                    sent.clear();
                }
                if to_server.write_all(bytes).await.is_err() {
                    return;
                }
            }
            read = from_server.read(&mut down) => {
                let Some(bytes) = read.ok().filter(|n| *n > 0).map(|n| &down[..n]) else { return };
                if holding && holds(bytes, COMMITTED) {
                    state.broken.notify_one();
                    // The client waits for as long as it lives; nothing of the answer leaves here.
                    let _ = from_client.read(&mut up).await;
                    return;
                }
                if to_client.write_all(bytes).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Whether the transaction that is being committed is the one that is meant.
fn meant(state: &State, sent: &[u8]) -> Option<Break> {
    let mut armed = state.armed.lock().expect("armed");
    let this = armed.as_mut().filter(|a| holds(sent, &a.needle))?;
    if this.skip > 0 {
        this.skip -= 1;
        return None;
    }
    armed.take().map(|a| a.at)
}
