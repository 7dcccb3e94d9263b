//! `aistack plugin dev`: what is saved is in place a moment later.

use super::Author;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

/// A running `dev`, ended when the test is.
struct Running {
    child: Child,
    events: Receiver<Value>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    fn start(author: &Author) -> Self {
        let mut child = author
            .command(&["dev"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (tell, events) = channel();
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let _ = tell.send(serde_json::from_str(&line).unwrap_or(Value::String(line)));
            }
        });
        Self { child, events }
    }

    /// The next event of this kind; others before it are passed over.
    fn next(&self, kind: &str) -> Value {
        loop {
            let event = self
                .events
                .recv_timeout(Duration::from_secs(600))
                .expect("an event in time");
            if event["event"] == kind {
                return event;
            }
        }
    }
}

#[tokio::test]
async fn saves_are_swapped_in_and_mistakes_leave_the_old_one_in_place() {
    let author = Author::new("payment");
    let dev = Running::start(&author);
    let url = dev.next("listening")["url"].as_str().unwrap().to_owned();
    assert!(url.starts_with("http://127.0.0.1:"));
    let first = dev.next("swapped");

    let client = reqwest::Client::new();
    let check = || async {
        let asked = client
            .post(format!("{url}/call"))
            .json(&json!({ "operation": "lifecycle.check" }));
        asked.send().await.unwrap().json::<Value>().await.unwrap()
    };
    assert_eq!(check().await["result"][0]["message"], "fine");
    let form = client
        .get(format!("{url}/form?lang=zh-CN"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(
        form.contains("服务地址") && form.contains("type=\"password\""),
        "{form}"
    );
    // Text sent as a form would be a request that another site's page can make.
    let plain = client.post(format!("{url}/call")).body("{}").send().await.unwrap();
    assert_eq!(plain.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);

    // A delivery signed with the key of aistack-dev.toml, as any program would make it.
    let body = r#"{"id":"n-1","order":"ord_1","payment":"p-1","minor":500,"currency":"USD","at_ms":1}"#;
    let signature = "1f6a4d6bf6b0de8a23c1b75b0bcb7b8e";
    let hook = || client.post(format!("{url}/hooks/notify")).body(body);
    let forged = hook().header("x-signature", signature).send().await.unwrap();
    assert_eq!(forged.status(), StatusCode::BAD_REQUEST);
    assert_eq!(forged.json::<Value>().await.unwrap()["code"], "signature_mismatch");
    let genuine = hook().header("x-signature", SIGNATURE).send().await.unwrap();
    assert_eq!(
        (genuine.status(), genuine.text().await.unwrap().as_str()),
        (StatusCode::OK, "ok")
    );
    let large = client
        .post(format!("{url}/hooks/notify"))
        .body(vec![b' '; 65 << 10])
        .send()
        .await
        .unwrap();
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let put = client.put(format!("{url}/hooks/notify")).send().await.unwrap();
    assert_eq!(put.status(), StatusCode::METHOD_NOT_ALLOWED);

    author.edit("src/lib.rs", "Finding::ok(\"fine\")", "Finding::ok(\"better\")");
    let second = dev.next("swapped");
    assert_ne!(first["digest"], second["digest"]);
    assert_eq!(check().await["result"][0]["message"], "better");

    author.edit("aistack-plugin.toml", "[limits]", "[limit]");
    let problem = dev.next("refused")["problem"].clone();
    assert_eq!(problem["errors"][0]["hint"], "did you mean `limits`?");
    assert_eq!(check().await["result"][0]["message"], "better", "the old one goes on");
    author.edit("aistack-plugin.toml", "[limit]", "[limits]");
    dev.next("swapped");
}

/// HMAC-SHA256 of the body above under `test-notify-key`.
const SIGNATURE: &str = "4aa4b614b68485e59ee61c3c8cd9415b441923b0b12fb5b17fc562d684350fe6";
