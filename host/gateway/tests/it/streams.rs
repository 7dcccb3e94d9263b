//! Bodies in both directions: at once, whole, and only as fast as they are taken.

use crate::support::{Stage, upstream};
use bytes::Bytes;
use futures_util::stream;
use http::Response;
use http_body::Frame;
use http_body_util::{Full, StreamBody};
use std::{convert::Infallible, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{sleep, timeout},
};

async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut bytes = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&bytes).contains(text) {
            let byte = stream.read_u8().await.unwrap();
            bytes.push(byte);
        }
    };
    timeout(Duration::from_secs(5), reading)
        .await
        .unwrap_or_else(|_| panic!("no {text:?}"));
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn events_pass_one_by_one() {
    let s = Stage::new().await;
    let (events, mut feed) = mpsc::unbounded_channel::<mpsc::UnboundedSender<&'static str>>();
    let (url, _seen) = upstream(move |_| {
        let (say, said) = mpsc::unbounded_channel();
        events.send(say).unwrap();
        let frames = stream::unfold(said, |mut said| async move {
            let text = said.recv().await?;
            Some((Ok::<_, Infallible>(Frame::data(Bytes::from(text))), said))
        });
        Response::builder()
            .header("content-type", "text/event-stream")
            .body(StreamBody::new(Box::pin(frames)))
            .unwrap()
    })
    .await;
    s.route("/v1/", &url, 5_000).await;
    let mut stream = s
        .connect("GET /v1/x HTTP/1.1\r\nhost: acme.localhost\r\nconnection: close\r\n\r\n")
        .await;
    let say = feed.recv().await.unwrap();
    for event in ["data: one\n\n", "data: two\n\n"] {
        say.send(event).unwrap();
        // Arrives while the upstream still has more to say.
        read_until(&mut stream, event.trim()).await;
    }
    drop(say);
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!(rest.ends_with("0\r\n\r\n"), "an orderly end: {rest:?}");
    s.until_counted(1).await;
}

#[tokio::test]
async fn large_bodies_pass_whole_in_both_directions() {
    let s = Stage::new().await;
    let (url, mut seen) = upstream(|req| Response::new(Full::new(req.into_body()))).await;
    s.route("/v1/", &url, 5_000).await;
    let body: Vec<u8> = (0..5_000_000u32)
        .map(|n| b'a' + u8::try_from(n % 23).unwrap())
        .collect();
    let head = format!(
        "PUT /v1/x HTTP/1.1\r\nhost: acme.localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let stream = s.connect(&head).await;
    let (mut read, mut write) = stream.into_split();
    let sent = body.clone();
    let writer = tokio::spawn(async move {
        write.write_all(&sent).await.unwrap();
        write
    });
    let mut bytes = Vec::new();
    read.read_to_end(&mut bytes).await.unwrap();
    drop(writer.await.unwrap());
    assert!(bytes.ends_with(&body));
    assert_eq!(seen.recv().await.unwrap().body().len(), body.len());
}

#[tokio::test]
async fn a_reader_that_stops_stops_the_upstream() {
    let s = Stage::new().await;
    let (made, mut making) = mpsc::unbounded_channel();
    let (url, _seen) = upstream(move |_| {
        let made = made.clone();
        let frames = stream::unfold(made, |made| async move {
            made.send(()).ok()?;
            Some((
                Ok::<_, Infallible>(Frame::data(Bytes::from(vec![b'x'; 64 * 1024]))),
                made,
            ))
        });
        Response::new(StreamBody::new(Box::pin(frames)))
    })
    .await;
    s.route("/v1/", &url, 5_000).await;
    let stream = s.connect("GET /v1/x HTTP/1.1\r\nhost: acme.localhost\r\n\r\n").await;
    sleep(Duration::from_secs(1)).await;
    while making.try_recv().is_ok() {}
    sleep(Duration::from_millis(500)).await;
    let more = std::iter::from_fn(|| making.try_recv().ok()).count();
    // Buffers of sockets are full by now: an endless body waits for its reader.
    assert!(more < 4, "{more} more parts without anybody reading");
    drop(stream);
    s.until_counted(1).await;
}

#[tokio::test]
async fn websockets_pass_in_both_directions() {
    let s = Stage::new().await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = read_until(&mut stream, "\r\n\r\n").await.to_ascii_lowercase();
        stream
            .write_all(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: yes\r\n\r\n")
            .await
            .unwrap();
        let mut buf = [0; 4];
        stream.read_exact(&mut buf).await.unwrap();
        stream.write_all(b"pong").await.unwrap();
        // The caller closes; so does the proxy.
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        (head, buf)
    });
    s.route("/ws", &url, 5_000).await;
    let mut stream = s
        .connect(
            "GET /ws HTTP/1.1\r\nhost: acme.localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n",
        )
        .await;
    let head = read_until(&mut stream, "\r\n\r\n").await.to_ascii_lowercase();
    assert!(
        head.starts_with("http/1.1 101") && head.contains("sec-websocket-accept: yes"),
        "{head}"
    );
    assert_eq!(s.counted().await, 1, "counted before the protocol changed");
    stream.write_all(b"ping").await.unwrap();
    let mut buf = [0; 4];
    stream.read_exact(&mut buf).await.unwrap();
    assert_eq!(&buf, b"pong");
    drop(stream);
    let (head, got) = timeout(Duration::from_secs(5), server).await.unwrap().unwrap();
    assert_eq!(&got, b"ping");
    assert!(head.contains("sec-websocket-key: ") && head.contains("upgrade: websocket"));
    assert!(head.contains("x-aistack-user: usr_"));
}

#[tokio::test]
async fn a_websocket_that_the_upstream_refuses_is_an_ordinary_answer() {
    let s = Stage::new().await;
    let (url, _seen) = upstream(|_| {
        let mut r = Response::new(Full::from("no"));
        *r.status_mut() = http::StatusCode::FORBIDDEN;
        r
    })
    .await;
    s.route("/ws", &url, 5_000).await;
    let answer = s
        .raw("GET /ws HTTP/1.1\r\nhost: acme.localhost\r\nconnection: Upgrade, close\r\nupgrade: websocket\r\n\r\n")
        .await;
    assert_eq!((answer.status, answer.body.as_str()), (403, "no"));
}
