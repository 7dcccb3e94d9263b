//! Line 33: what a plugin may put before a browser, and what it may answer in our name.

use super::{Stage, configure, deliver, enable, hook, id, logins::begin, neighbour::with_good_neighbour, told};
use aistack_tests::{host::Store, need, peers::PeerError};
use serde_json::json;

#[tokio::test]
async fn hostile_33_no_browser_is_sent_where_a_plugin_must_not_send_it() {
    need!(steps().await);
}

async fn steps() -> Result<(), PeerError> {
    let stage = Stage::set(Store::Sqlite).await?;
    with_good_neighbour(&stage, async {
        let door = enable(&stage.owner, "test.door", json!({})).await?;
        let urls = [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "java\tscript:alert(1)",
            "data:text/html,<script>alert(1)</script>",
            "vbscript:x",
            "file:///etc/passwd",
            "http://plain.example/",
            "https://good@evil.example/",
            "https://",
            "//evil.example",
            "/console/",
            "",
            "https://ok.example/\r\nset-cookie: a=b",
        ];
        let mut steps = Vec::new();
        for url in urls {
            steps.push(json!({"step": "redirect", "url": url}));
            steps.push(json!({"step": "form-post", "url": url}));
        }
        for origin in [
            "javascript:alert(1)",
            "http://widgets.example",
            "https://evil.example",
            "https://widgets.example.evil.example",
            "*",
            "",
        ] {
            steps.push(json!({"step": "embed", "widget": {"kind": "qr"}, "origins": [origin]}));
        }
        steps.push(
            json!({"step": "embed", "widget": {}, "origins": ["https://widgets.example", "https://evil.example"]}),
        );
        steps.push(json!({"step": "done"}));
        steps.push(json!({"state": 100_000}));
        for step in steps {
            configure(&stage.owner, &door, json!({"begin": step})).await?;
            let answer = begin(&stage.host.tenant_visitor("acme"), &door).await?;
            answer
                .problem(502, "plugin_failed")
                .map_err(|e| e.context(step.to_string()))?;
            assert_eq!(answer.header("set-cookie"), "", "{step}");
        }
        assert!(told(&stage.owner, "login.refused", id(&door)).await? >= 20);
        // What is declared may be shown.
        configure(
            &stage.owner,
            &door,
            json!({"begin": {"step": "embed", "widget": {"kind": "qr"}, "origins": ["https://widgets.example"]}}),
        )
        .await?;
        let shown = begin(&stage.host.tenant_visitor("acme"), &door).await?.ok(200)?;
        assert_eq!(
            (&shown["step"], &shown["origins"]),
            (&json!("embed"), &json!(["https://widgets.example"]))
        );
        // Labels are texts.
        configure(
            &stage.owner,
            &door,
            json!({"begin": {"label": "<script>alert(1)</script>\u{202e}"}}),
        )
        .await?;
        let shown = begin(&stage.host.tenant_visitor("acme"), &door).await?;
        assert_eq!(shown.header("content-type"), "application/json");
        assert_eq!(shown.ok(200)?["fields"][0]["label"], "<script>alert(1)</script>");
        Ok(())
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn hostile_33_an_answer_to_a_provider_carries_nothing_for_a_browser() {
    need!(headers().await);
}

async fn headers() -> Result<(), PeerError> {
    let stage = Stage::set(Store::Sqlite).await?;
    with_good_neighbour(&stage, async {
        for plugin in ["test.door", "test.till"] {
            let installation = enable(&stage.owner, plugin, json!({})).await?;
            let body = json!({"ack": {"status": 200, "body": "<script>alert(document.cookie)</script>", "headers": {
                "set-cookie": "__Host-aistack=stolen; Path=/; Secure", "content-security-policy": "default-src *",
                "location": "https://evil.example/", "access-control-allow-origin": "*", "refresh": "0;url=https://evil.example/",
                "strict-transport-security": "max-age=0", "clear-site-data": "\"*\"", "service-worker-allowed": "/",
                "content-type": "text/html", "x-content-type-options": "sniff"}}});
            let answer = deliver(&stage.host, &hook(&installation)?, &body).await?;
            assert_eq!(answer.status, 200, "{answer}");
            for absent in ["set-cookie", "location", "access-control-allow-origin", "refresh", "strict-transport-security", "clear-site-data", "service-worker-allowed"] {
                assert_eq!(answer.header(absent), "", "{absent}: {answer}");
            }
            assert_eq!(answer.header("content-security-policy"), "default-src 'none'; sandbox", "{answer}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{answer}");
            // A status that is none, and header values that would be two headers.
            let body = json!({"ack": {"status": 99, "headers": {"content-type": "text/plain\r\nset-cookie: a=b", "x y": "z"}}});
            let answer = deliver(&stage.host, &hook(&installation)?, &body).await?;
            assert!(answer.status == 200 || answer.status == 502, "{answer}");
            assert_eq!(answer.header("set-cookie"), "", "{answer}");
            // A forged delivery is told so, by us and not by the plugin.
            deliver(&stage.host, &hook(&installation)?, &json!({"forged": true})).await?.problem(400, "signature_invalid")?;
            deliver(&stage.host, &hook(&installation)?, &json!({"panic": true})).await?.problem(502, "plugin_failed")?;
        }
        Ok(())
    })
    .await?;
    Ok(())
}
