//! The page: what is in place, and the configuration's form as the console makes it of the schema, in both languages.

use serde_json::{Map, Value};
use std::fmt::Write;

/// Texts of the page itself: English, Chinese.
fn word(key: &str, chinese: bool) -> &'static str {
    let (en, zh) = match key {
        "form" => ("Configuration", "配置"),
        "status" => ("Component", "组件"),
        "calls" => ("Last calls", "最近的调用"),
        "none" => ("none yet", "暂无"),
        "problem" => ("It does not build", "无法构建"),
        "required" => ("required", "必填"),
        "hooks" => ("Deliveries", "回调地址"),
        "empty" => ("This plugin has no settings.", "该插件没有配置项。"),
        "typed" => (
            "typed by the tenant, sealed by the platform",
            "由租户填写，由平台加密保存",
        ),
        _ => ("中文", "English"),
    };
    if chinese { zh } else { en }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1b1b1f;background:#fff}\
    label{display:block;margin:1rem 0 .2rem;font-weight:600}input:not([type=checkbox]):not([type=radio]),select,textarea{width:100%;box-sizing:border-box;padding:.4rem;font:inherit}\
    small{color:#5b5b66;display:block}fieldset{border:1px solid #ccc;margin:1rem 0}pre{background:#f4f4f6;padding:.6rem;overflow:auto}.bad{color:#a1001f}\
    @media(prefers-color-scheme:dark){body{color:#e7e7ea;background:#17171a}pre{background:#242429}small{color:#a5a5b0}.bad{color:#ff8a9b}}";

/// Shows and hides fields by their conditions, and fetches the page anew when something was built or called.
const SCRIPT: &str = "const values=()=>Object.fromEntries([...document.querySelectorAll('[data-key]')].map(f=>[f.dataset.key,f.type==='checkbox'?f.checked:f.type==='number'?Number(f.value):f.value]));\
    const show=()=>{const v=values();document.querySelectorAll('[data-show-if]').forEach(e=>{const c=JSON.parse(e.dataset.showIf);\
    e.hidden=!Object.entries(c).every(([k,a])=>(Array.isArray(a)?a:[a]).includes(v[k]))})};document.addEventListener('input',show);show();\
    let seen;setInterval(async()=>{try{const t=await (await fetch('/status')).text();if(seen!==undefined&&t!==seen&&!document.activeElement?.dataset?.key)location.reload();seen=t}catch{}},1000);";

fn document(title: &str, body: &str, chinese: bool) -> String {
    let lang = if chinese { "zh-CN" } else { "en" };
    format!(
        "<!doctype html><html lang=\"{lang}\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{}</title><style>{STYLE}</style><body>{body}<script>{SCRIPT}</script></body></html>",
        escaped(title)
    )
}

/// The whole page.
pub(super) fn whole(schema: &Value, status: &Value, chinese: bool) -> String {
    let plugin = &status["plugin"];
    let title = format!(
        "{} {}",
        plugin["id"].as_str().unwrap_or("aistack plugin dev"),
        plugin["version"].as_str().unwrap_or_default()
    );
    let other = if chinese { "/?lang=en" } else { "/?lang=zh-CN" };
    let mut body = format!(
        "<p style=\"float:right\"><a href=\"{other}\">{}</a></p><h1>{}</h1>",
        word("other", chinese),
        escaped(&title)
    );
    if !status["problem"].is_null() {
        let _ = write!(
            body,
            "<h2 class=\"bad\">{}</h2><pre>{}</pre>",
            word("problem", chinese),
            escaped(&format!("{:#}", status["problem"]))
        );
    }
    if !status["built"].is_null() {
        let _ = write!(
            body,
            "<h2>{}</h2><pre>{}</pre>",
            word("status", chinese),
            escaped(&format!("{:#}", status["built"]))
        );
    }
    let _ = write!(body, "<h2>{}</h2>{}", word("form", chinese), fields(schema, chinese));
    let endpoints: Vec<&str> = plugin["endpoints"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if !endpoints.is_empty() {
        let _ = write!(body, "<h2>{}</h2><ul>", word("hooks", chinese));
        for name in endpoints {
            let _ = write!(body, "<li><code>/hooks/{}</code></li>", escaped(name));
        }
        body.push_str("</ul>");
    }
    let _ = write!(body, "<h2>{}</h2>", word("calls", chinese));
    let calls = status["calls"].as_array().map(Vec::as_slice).unwrap_or_default();
    if calls.is_empty() {
        let _ = write!(body, "<p>{}</p>", word("none", chinese));
    }
    for call in calls {
        let (operation, outcome) = (
            call["operation"].as_str().unwrap_or_default(),
            call["receipt"]["outcome"].as_str().unwrap_or_default(),
        );
        let _ = write!(
            body,
            "<details><summary>{} · {} · {} µs</summary><pre>{}</pre></details>",
            escaped(operation),
            escaped(outcome),
            call["receipt"]["wall_us"],
            escaped(&format!("{call:#}"))
        );
    }
    document(&title, &body, chinese)
}

/// The form alone.
pub(super) fn form(schema: &Value, chinese: bool) -> String {
    document(word("form", chinese), &fields(schema, chinese), chinese)
}

fn i18n<'a>(hints: &'a Value, key: &str, chinese: bool) -> Option<&'a str> {
    hints["i18n"][if chinese { "zh-CN" } else { "en" }][key].as_str()
}

fn fields(schema: &Value, chinese: bool) -> String {
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    if properties.is_empty() {
        return format!("<p>{}</p>", word("empty", chinese));
    }
    let groups = &schema["x-aistack"]["groups"];
    let place = |group: &str| {
        groups[group]["order"]
            .as_u64()
            .unwrap_or(if group.is_empty() { 0 } else { 500 })
    };
    let mut all: Vec<(&String, &Value, &str)> = properties
        .iter()
        .map(|(k, v)| (k, v, v["x-aistack"]["group"].as_str().unwrap_or_default()))
        .collect();
    all.sort_by_key(|(_, v, group)| {
        (
            place(group),
            group.to_owned(),
            v["x-aistack"]["order"].as_u64().unwrap_or(1000),
        )
    });
    let mut out = String::from("<form onsubmit=\"return false\">");
    let mut open: Option<&str> = None;
    for (key, property, group) in all {
        if open != Some(group) {
            if open.is_some_and(|g| !g.is_empty()) {
                out.push_str("</fieldset>");
            }
            if !group.is_empty() {
                let title = i18n(&groups[group], "title", chinese).unwrap_or(group);
                let _ = write!(out, "<fieldset><legend>{}</legend>", escaped(title));
            }
            open = Some(group);
        }
        let required = schema["required"]
            .as_array()
            .is_some_and(|r| r.iter().any(|n| n == key));
        field(&mut out, key, property, required, chinese);
    }
    if open.is_some_and(|g| !g.is_empty()) {
        out.push_str("</fieldset>");
    }
    out.push_str("</form>");
    out
}

fn field(out: &mut String, key: &str, property: &Value, required: bool, chinese: bool) {
    let hints = &property["x-aistack"];
    let title = i18n(hints, "title", chinese)
        .or(property["title"].as_str())
        .unwrap_or(key);
    let condition = hints.get("show-if").map_or_else(String::new, |c| {
        format!(" data-show-if=\"{}\"", escaped(&c.to_string()))
    });
    let name = escaped(key);
    let mark = if required {
        format!(
            " <small style=\"display:inline\">({})</small>",
            word("required", chinese)
        )
    } else {
        String::new()
    };
    let _ = write!(
        out,
        "<div{condition}><label for=\"{name}\">{}{mark}</label>",
        escaped(title)
    );
    control(out, &name, property, chinese);
    if let Some(text) = i18n(hints, "description", chinese).or(property["description"].as_str()) {
        let _ = write!(out, "<small>{}</small>", escaped(text));
    }
    out.push_str("</div>");
}

fn control(out: &mut String, name: &str, property: &Value, chinese: bool) {
    let hints = &property["x-aistack"];
    let attributes = format!("id=\"{name}\" data-key=\"{name}\"");
    let text = |v: &Value| {
        v.as_str().map_or_else(
            || if v.is_null() { String::new() } else { v.to_string() },
            str::to_owned,
        )
    };
    let value = escaped(&text(&property["default"]));
    let placeholder = escaped(i18n(hints, "placeholder", chinese).unwrap_or_default());
    let kind = property["type"].as_str().unwrap_or_default();
    let _ = match (hints["widget"].as_str().unwrap_or_default(), kind) {
        _ if !matches!(hints["secret"], Value::Null | Value::Bool(false)) => {
            let typed = word("typed", chinese);
            write!(
                out,
                "<input type=\"password\" autocomplete=\"off\" {attributes}><small>{typed}</small>"
            )
        }
        _ if property["enum"].is_array() => {
            let labels = &hints["i18n"][if chinese { "zh-CN" } else { "en" }]["enum"];
            let _ = write!(out, "<select {attributes}>");
            for choice in property["enum"].as_array().into_iter().flatten() {
                let plain = text(choice);
                let chosen = if property["default"] == *choice {
                    " selected"
                } else {
                    ""
                };
                let label = labels[&plain].as_str().unwrap_or(&plain);
                let _ = write!(
                    out,
                    "<option value=\"{}\"{chosen}>{}</option>",
                    escaped(&plain),
                    escaped(label)
                );
            }
            write!(out, "</select>")
        }
        ("switch", _) | ("", "boolean") => {
            let checked = if property["default"] == true { " checked" } else { "" };
            write!(out, "<input type=\"checkbox\" {attributes}{checked}>")
        }
        ("number", _) | ("", "integer" | "number") => write!(
            out,
            "<input type=\"number\" {attributes} value=\"{value}\" placeholder=\"{placeholder}\">"
        ),
        ("textarea" | "code" | "keyvalue" | "tags" | "list" | "object", _) | ("", "array" | "object") => {
            write!(
                out,
                "<textarea rows=\"4\" {attributes} placeholder=\"{placeholder}\">{value}</textarea>"
            )
        }
        ("date", _) => write!(out, "<input type=\"date\" {attributes} value=\"{value}\">"),
        _ => write!(
            out,
            "<input type=\"text\" {attributes} value=\"{value}\" placeholder=\"{placeholder}\">"
        ),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_form_follows_order_groups_language_and_conditions() {
        let schema = json!({
            "required": ["b"],
            "x-aistack": { "groups": { "g": { "order": 1, "i18n": { "en": { "title": "More" }, "zh-CN": { "title": "更多" } } } } },
            "properties": {
                "a": { "type": "string", "x-aistack": { "order": 2, "group": "g", "show-if": { "b": ["x"] }, "i18n": { "en": { "title": "Second" }, "zh-CN": { "title": "第二" } } } },
                "b": { "enum": ["x", "y"], "default": "y", "x-aistack": { "order": 1, "i18n": { "en": { "title": "First", "enum": { "x": "Ex" } }, "zh-CN": { "title": "第一" } } } },
                "k": { "type": "object", "x-aistack": { "order": 3, "secret": true, "i18n": { "en": { "title": "<Key>" } } } },
            }
        });
        let en = form(&schema, false);
        let at = |text: &str| en.find(text).unwrap_or_else(|| panic!("{text} in {en}"));
        assert!(
            at("First") < at("&lt;Key&gt;")
                && at("&lt;Key&gt;") < at("<legend>More")
                && at("<legend>More") < at("Second")
        );
        assert!(
            en.contains("<option value=\"x\">Ex</option>") && en.contains("<option value=\"y\" selected>y</option>")
        );
        assert!(en.contains("data-show-if=\"{&quot;b&quot;:[&quot;x&quot;]}\"") && en.contains("type=\"password\""));
        let zh = form(&schema, true);
        assert!(zh.contains("第一") && zh.contains("<legend>更多") && zh.contains("必填") && !zh.contains("First"));
    }

    #[test]
    fn what_a_plugin_says_is_never_markup() {
        let status = json!({ "plugin": { "id": "<script>", "version": "1" }, "problem": { "detail": "<img>" }, "calls": [{ "operation": "<b>" }] });
        let page = whole(&json!({}), &status, false);
        assert!(!page.contains("<script>alert") && !page.contains("<img>") && !page.contains("<b>"));
        assert_eq!(page.matches("<script>").count(), 1, "its own");
    }
}
