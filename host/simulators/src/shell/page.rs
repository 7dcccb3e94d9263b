//! The page at `/`: what runs here and how to use it, in both languages. Also the frame of the providers' own pages.

use super::Shared;
use crate::wire::escape;
use serde_json::Value;
use std::fmt::Write as _;

/// An HTML document. `body` is HTML, the title is text.
pub(crate) fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;\
         padding:0 1rem}}pre{{background:#8882;padding:.7rem;overflow:auto}}td,th{{padding:.2rem .8rem .2rem 0;\
         text-align:left;vertical-align:top}}button{{font:inherit;padding:.4rem 1rem;margin:.2rem}}\
         :root{{color-scheme:light dark}}</style><h1>{title}</h1>{body}</html>",
        title = escape(title)
    )
}

/// A form with one button per choice, posted to `action`.
pub(crate) fn choices(action: &str, choices: &[(&str, &str)]) -> String {
    let mut out = format!("<form method=\"post\" action=\"{}\">", escape(action));
    for (value, label) in choices {
        let (value, label) = (escape(value), escape(label));
        let _ = write!(out, "<button name=\"choice\" value=\"{value}\">{label}</button>");
    }
    out + "</form>"
}

pub(super) fn index(shared: &Shared) -> String {
    let simulator = shared.simulator;
    let mut body = format!(
        "<p>{} <b>Nothing here is real and nothing is secret.</b></p><p lang=\"zh\">{} <b>一切均为模拟，密钥均不保密。</b></p>",
        escape(simulator.title.en),
        escape(simulator.title.zh)
    );
    let _ = write!(body, "<p><code>{}</code></p>", escape(&shared.provider));
    for note in &shared.notes {
        let _ = write!(
            body,
            "<p>{}<br><span lang=\"zh\">{}</span></p>",
            escape(note.en),
            escape(note.zh)
        );
    }
    let blocks = [
        ("Configuration · 配置", &shared.config),
        ("Secrets · 密钥", &shared.secrets),
    ];
    for (title, value) in blocks {
        let _ = write!(body, "<h2>{title}</h2><pre>{}</pre>", escape(&pretty(value)));
    }
    body += "<h2>Knobs · 故障开关</h2><table>";
    for knob in shared.faults.known() {
        let _ = write!(
            body,
            "<tr><td><code>{}</code></td><td>{}<br><span lang=\"zh\">{}</span></td></tr>",
            knob.name,
            escape(knob.text.en),
            escape(knob.text.zh)
        );
    }
    let _ = write!(
        body,
        "</table><pre>curl {url}/_sim/faults -d '{{\"delay_ms\": 500, \"next\": 1}}'\ncurl {url}/_sim/log\n\
         curl {url}/_sim/state\ncurl -X POST {url}/_sim/pay/REF\ncurl {url}/_sim/deliver -d '{{\"kind\": \"…\", \"to\": \"http://…\"}}'\n\
         curl {url}/_sim/webhook -d '{{\"url\": \"http://…\"}}'\ncurl -X POST {url}/_sim/reset</pre>\
         <p>Armed · 已启用: <code>{}</code> · Webhook: <code>{}</code></p>",
        escape(&shared.faults.armed().to_string()),
        escape(shared.webhook().as_deref().unwrap_or("–")),
        url = escape(&shared.url),
    );
    document(&format!("aistack sim: {}", simulator.name), &body)
}

fn pretty(value: &Value) -> String {
    // Secrets such as PEM keys are read more easily with their lines.
    serde_json::to_string_pretty(value).unwrap_or_default()
}
