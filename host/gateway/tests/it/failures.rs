//! Upstreams and callers that go away.

use crate::support::{Stage, hello};
use aistack_domain::{
    Problem,
    gateway::{Decider, Decisions, Denial, Ending, Incoming, Pass},
};
use aistack_gateway::Settings;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::{Instant, sleep, timeout},
};

/// An upstream without HTTP manners: `serve` gets each connection and its number, after the request's head.
async fn crude<F, Fut>(serve: F) -> (String, Arc<AtomicUsize>)
where
    F: Fn(tokio::net::TcpStream, usize) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let number = count.fetch_add(1, Ordering::SeqCst);
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => break,
                }
            }
            tokio::spawn(serve(stream, number));
        }
    });
    (url, connections)
}

#[tokio::test]
async fn an_upstream_that_is_down_is_a_502_and_counts_nothing() {
    let s = Stage::new().await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let gone = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    s.route("/v1/", &gone, 5_000).await;
    let answer = s.get("/v1/x").await;
    assert_eq!((answer.status, s.counted().await), (502, 0));
    assert_eq!(s.gateway_events().await, ["gateway.called"]);
}

#[tokio::test]
async fn a_slow_upstream_is_a_504_and_is_let_go() {
    let s = Stage::new().await;
    let (closed, was_closed) = tokio::sync::oneshot::channel();
    let closed = Arc::new(std::sync::Mutex::new(Some(closed)));
    let (url, _) = crude(move |mut stream, _| {
        let closed = closed.clone();
        async move {
            // Reads until the proxy closes.
            let _ = stream.read(&mut [0]).await;
            let _ = closed.lock().unwrap().take().unwrap().send(());
        }
    })
    .await;
    s.route("/v1/", &url, 200).await;
    let began = Instant::now();
    assert_eq!(s.get("/v1/x").await.status, 504);
    assert!(began.elapsed() >= Duration::from_millis(200));
    timeout(Duration::from_secs(5), was_closed).await.unwrap().unwrap();
    assert_eq!(s.counted().await, 0);
}

#[tokio::test]
async fn what_may_be_repeated_is_tried_once_more_and_the_rest_is_not() {
    let s = Stage::new().await;
    let (url, connections) = crude(|mut stream, number| async move {
        // Every first connection is closed without a word.
        if number % 2 == 1 {
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
                .await;
        }
    })
    .await;
    s.route("/v1/", &url, 5_000).await;
    assert_eq!(s.get("/v1/x").await.status, 200);
    assert_eq!(connections.swap(0, Ordering::SeqCst), 2);
    let post = "POST /v1/x HTTP/1.1\r\nhost: acme.localhost\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi";
    assert_eq!(s.raw(post).await.status, 502);
    assert_eq!(connections.load(Ordering::SeqCst), 1, "a POST may have been done");
    assert_eq!(s.counted().await, 1);
}

#[tokio::test]
async fn a_caller_that_leaves_cancels_the_upstream_and_is_counted() {
    let s = Stage::new().await;
    let (closed, was_closed) = tokio::sync::oneshot::channel();
    let closed = Arc::new(std::sync::Mutex::new(Some(closed)));
    let (url, connections) = crude(move |mut stream, _| {
        let closed = closed.clone();
        async move {
            let _ = stream.read(&mut [0]).await;
            let _ = closed.lock().unwrap().take().unwrap().send(());
        }
    })
    .await;
    s.route("/v1/", &url, 30_000).await;
    let stream = s.connect("GET /v1/x HTTP/1.1\r\nhost: acme.localhost\r\n\r\n").await;
    while connections.load(Ordering::SeqCst) == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    drop(stream);
    timeout(Duration::from_secs(5), was_closed)
        .await
        .expect("the upstream was let go")
        .unwrap();
    s.until_counted(1).await;
    assert_eq!(s.gateway_events().await, ["gateway.called"]);
}

#[tokio::test]
async fn a_tenant_that_floods_is_told_to_wait_and_nothing_is_lost() {
    let settings = Settings {
        at_once: 1,
        waiting: 0,
        patience: Duration::from_millis(100),
        ..Settings::default()
    };
    let s = Stage::with(settings, |d| Arc::new(d)).await;
    let (url, _) = crude(|mut stream, _| async move {
        sleep(Duration::from_millis(400)).await;
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            .await;
    })
    .await;
    s.route("/v1/", &url, 5_000).await;
    let (first, second) = tokio::join!(s.get("/v1/a"), async {
        sleep(Duration::from_millis(100)).await;
        s.get("/v1/b").await
    });
    assert_eq!((first.status, second.status), (200, 429));
    assert_eq!(s.counted().await, 1);
    let mut events = s.gateway_events().await;
    events.sort();
    assert_eq!(events, ["gateway.called", "gateway.denied"]);
    assert_eq!(s.get("/v1/c").await.status, 200, "the turn was given back");
}

/// Lets calls through, and takes its time (or fails) when they are to be recorded.
struct Recording {
    inner: Decider,
    takes: Duration,
    fails: bool,
}

#[async_trait::async_trait]
impl Decisions for Recording {
    async fn admit(&self, call: Incoming<'_>) -> Result<Pass, Denial> {
        self.inner.admit(call).await
    }
    async fn finish(&self, pass: Pass, ending: Ending) -> Result<(), Problem> {
        sleep(self.takes).await;
        if self.fails {
            return Err(Problem::internal("the disk is full"));
        }
        self.inner.finish(pass, ending).await
    }
}

async fn recording(takes: Duration, fails: bool) -> Stage {
    Stage::with(Settings::default(), move |inner| {
        Arc::new(Recording { inner, takes, fails })
    })
    .await
}

#[tokio::test]
async fn an_answer_ends_only_after_it_is_recorded() {
    let takes = Duration::from_millis(400);
    let s = recording(takes, false).await;
    let (url, _seen) = hello().await;
    s.route("/v1/", &url, 5_000).await;
    let began = Instant::now();
    let mut stream = s
        .connect("GET /v1/x HTTP/1.1\r\nhost: acme.localhost\r\nconnection: close\r\n\r\n")
        .await;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    assert!(began.elapsed() >= takes, "{:?}", began.elapsed());
    assert!(String::from_utf8(bytes).unwrap().ends_with("GET /v1/x"));
    assert_eq!(s.counted().await, 1);
    // Without a body the head is the end.
    let began = Instant::now();
    let head = "HEAD /v1/x HTTP/1.1\r\nhost: acme.localhost\r\nconnection: close\r\n\r\n";
    assert_eq!(s.raw(head).await.status, 200);
    assert!(began.elapsed() >= takes);
}

#[tokio::test]
async fn an_answer_that_can_not_be_recorded_is_never_whole() {
    let s = recording(Duration::ZERO, true).await;
    let (url, _seen) = hello().await;
    s.route("/v1/", &url, 5_000).await;
    let mut stream = s
        .connect("GET /v1/x HTTP/1.1\r\nhost: acme.localhost\r\nconnection: close\r\n\r\n")
        .await;
    let mut bytes = Vec::new();
    // The connection may end with a reset: that is the point.
    let _ = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8(bytes).unwrap();
    assert!(!text.contains("GET /v1/x"), "{text}");
    assert_eq!(s.counted().await, 0);
    let head = "HEAD /v1/x HTTP/1.1\r\nhost: acme.localhost\r\nconnection: close\r\n\r\n";
    assert_eq!(s.raw(head).await.status, 500);
}
