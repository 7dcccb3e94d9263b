//! A small HTTP peer that remembers what it was asked, and answers by path.

use aistack_plugins::NameLookup;
use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub(crate) struct Peer {
    pub(crate) port: u16,
    /// Requests as they came, head and body.
    pub(crate) seen: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    /// `answers`: by path, the whole answer. `drop` closes the connection, `slow` never answers.
    pub(crate) async fn new(answers: &[(&str, &str)]) -> Self {
        let answers = answers
            .iter()
            .map(|(p, a)| ((*p).to_owned(), a.as_bytes().to_vec()))
            .collect();
        Self::with(answers).await
    }

    pub(crate) async fn with(answers: Vec<(String, Vec<u8>)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        let answers: Arc<HashMap<String, Vec<u8>>> = Arc::new(answers.into_iter().collect());
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                tokio::spawn(serve(tcp, Arc::clone(&answers), Arc::clone(&kept)));
            }
        });
        Self { port, seen }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

async fn serve(mut tcp: TcpStream, answers: Arc<HashMap<String, Vec<u8>>>, seen: Arc<Mutex<Vec<String>>>) {
    let mut request = Vec::new();
    let mut buf = [0; 4096];
    loop {
        let Ok(n) = tcp.read(&mut buf).await else { return };
        if n == 0 {
            return;
        }
        request.extend_from_slice(&buf[..n]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|l| {
                l.to_ascii_lowercase()
                    .strip_prefix("content-length: ")
                    .map(|v| v.parse::<usize>().unwrap())
            })
            .unwrap_or(0);
        if body.len() < length {
            continue;
        }
        let path = text.split(' ').nth(1).unwrap().split('?').next().unwrap().to_owned();
        let times = {
            let mut seen = seen.lock().unwrap();
            seen.push(text.clone());
            seen.iter()
                .filter(|r| r.split(' ').nth(1).unwrap().starts_with(&path))
                .count()
        };
        match answers.get(&path).map(Vec::as_slice) {
            Some(b"drop-once") if times == 1 => return,
            Some(b"drop") => return,
            Some(b"slow") => tokio::time::sleep(Duration::from_secs(60)).await,
            Some(answer) if answer != b"drop-once" => {
                let _ = tcp.write_all(&closing(answer)).await;
            }
            _ => {
                let _ = tcp
                    .write_all(
                        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\nx-one: a\r\nx-one: b\r\n\r\nok",
                    )
                    .await;
            }
        }
        return;
    }
}

/// The answer, saying that nothing follows on this connection: a caller that kept it would run into its end.
fn closing(answer: &[u8]) -> Vec<u8> {
    let line = answer
        .windows(2)
        .position(|w| w == b"\r\n")
        .map_or(answer.len(), |at| at + 2);
    [&answer[..line], b"connection: close\r\n", &answer[line..]].concat()
}

/// Names as a hostile DNS server would answer them: in turn, the last one for good.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) answers: HashMap<String, Vec<Vec<IpAddr>>>,
    pub(crate) asked: Mutex<Vec<String>>,
}

impl Names {
    pub(crate) fn new(answers: &[(&str, &[&[&str]])]) -> Arc<Self> {
        let answers = answers
            .iter()
            .map(|(name, turns)| {
                let turns = turns
                    .iter()
                    .map(|t| t.iter().map(|ip| ip.parse().unwrap()).collect())
                    .collect();
                ((*name).to_owned(), turns)
            })
            .collect();
        Arc::new(Self {
            answers,
            asked: Mutex::default(),
        })
    }
}

#[async_trait::async_trait]
impl NameLookup for Names {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let mut asked = self.asked.lock().unwrap();
        let before = asked.iter().filter(|n| *n == host).count();
        asked.push(host.to_owned());
        let turns = self.answers.get(host).ok_or_else(|| io::Error::other("no such name"))?;
        Ok(turns[before.min(turns.len() - 1)].clone())
    }
}
