//! People and departments, how they are listed, and how they change.

use super::{State, Wecom, answer as good, refused};
use crate::wire::{Fields, Refusal, Reply};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const KINDS: &str = "echostr, create_user, update_user, delete_user, create_party, update_party, delete_party";

pub(super) fn users() -> BTreeMap<String, Value> {
    let user = |id: &str, name: &str, department: Value, status: u8| {
        let value = json!({"userid": id, "name": name, "department": department, "status": status, "enable": u8::from(status == 1),
            "position": "", "open_userid": format!("wo{id}"), "main_department": department[0]});
        (id.to_owned(), value)
    };
    BTreeMap::from([
        user("zhangsan", "张三", json!([2]), 1),
        user("lisi", "李四", json!([2, 3]), 1),
        user("wangwu", "王五", json!([3]), 2),
    ])
}

pub(super) fn parties() -> BTreeMap<u64, Value> {
    let party = |id: u64, name: &str, parent: u64| {
        (
            id,
            json!({"id": id, "name": name, "parentid": parent, "order": 100 - id}),
        )
    };
    BTreeMap::from([party(1, "模拟企业", 0), party(2, "研发部", 1), party(3, "前端组", 2)])
}

fn id_of(text: &str) -> Option<u64> {
    text.parse().ok()
}

/// The department and all below it.
fn tree(state: &State, root: u64) -> Vec<u64> {
    let mut all = vec![root];
    let mut next = 0;
    while let Some(parent) = all.get(next).copied() {
        let below = state
            .parties
            .values()
            .filter(|p| p["parentid"] == parent)
            .filter_map(|p| p["id"].as_u64());
        let new: Vec<_> = below.filter(|id| !all.contains(id)).collect();
        all.extend(new);
        next += 1;
    }
    all
}

pub(super) fn answer(state: &State, method: &str, path: &str, query: &Fields, body: &Value) -> Reply {
    match (method, path) {
        ("GET", "/cgi-bin/user/get") => match state.users.get(query.get("userid")) {
            Some(user) => good(0, "ok", user.clone()),
            None => refused(60111, "userid not found"),
        },
        ("GET", "/cgi-bin/department/list" | "/cgi-bin/department/simplelist") => {
            let root = id_of(query.get("id")).unwrap_or(1);
            if !state.parties.contains_key(&root) {
                return refused(60003, "department not found");
            }
            let all: Vec<_> = tree(state, root)
                .iter()
                .filter_map(|id| state.parties.get(id))
                .collect();
            let (name, all) = if path.ends_with("simplelist") {
                let brief = |p: &&Value| json!({"id": p["id"], "parentid": p["parentid"], "order": p["order"]});
                ("department_id", all.iter().map(brief).collect::<Vec<_>>())
            } else {
                ("department", all.into_iter().cloned().collect())
            };
            good(0, "ok", json!({ name: all }))
        }
        ("GET", "/cgi-bin/user/list" | "/cgi-bin/user/simplelist") => {
            let Some(party) = id_of(query.get("department_id")).filter(|id| state.parties.contains_key(id)) else {
                return refused(60003, "department not found");
            };
            let within = if query.get("fetch_child") == "1" {
                tree(state, party)
            } else {
                vec![party]
            };
            let inside = |u: &&Value| {
                u["department"]
                    .as_array()
                    .is_some_and(|d| d.iter().filter_map(Value::as_u64).any(|d| within.contains(&d)))
            };
            let brief = path.ends_with("simplelist");
            let shown = |u: &Value| {
                if brief {
                    json!({"userid": u["userid"], "name": u["name"], "department": u["department"]})
                } else {
                    u.clone()
                }
            };
            let users: Vec<_> = state.users.values().filter(inside).map(shown).collect();
            good(0, "ok", json!({"userlist": users}))
        }
        ("POST", "/cgi-bin/user/list_id") => {
            let limit = body["limit"].as_u64().unwrap_or(10_000);
            if !(1..=10_000).contains(&limit) {
                return refused(40058, "limit: 1 to 10000");
            }
            let departments = |u: &Value| u["department"].as_array().cloned().unwrap_or_default();
            let pairs = state.users.values().flat_map(|u| {
                departments(u)
                    .into_iter()
                    .map(|d| json!({"userid": u["userid"], "department": d}))
            });
            let from = body["cursor"]
                .as_str()
                .and_then(|c| c.parse::<usize>().ok())
                .unwrap_or_default();
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let all: Vec<_> = pairs.collect();
            let page: Vec<_> = all.iter().skip(from).take(limit).cloned().collect();
            let next = if from + page.len() < all.len() {
                (from + page.len()).to_string()
            } else {
                String::new()
            };
            good(0, "ok", json!({"dept_user": page, "next_cursor": next}))
        }
        _ => refused(40066, "invalid url"),
    }
}

impl Wecom {
    /// Changes the directory; returns the plain XML that tells about it.
    pub(super) fn change(&self, kind: &str, what: &Value) -> Result<String, Refusal> {
        let missing = |field: &'static str| Refusal {
            field: Some(field),
            ..Refusal::new(
                400,
                "field_missing",
                format!("{kind} needs {field}"),
                "for example {\"kind\": \"create_user\", \"userid\": \"zhaoliu\", \"name\": \"赵六\", \"department\": [2]}",
            )
        };
        let mut state = self.state();
        let mut told: Vec<(&str, String)> = Vec::new();
        match kind {
            "create_user" | "update_user" | "delete_user" => {
                let id = what["userid"].as_str().ok_or_else(|| missing("userid"))?.to_owned();
                let known = state.users.get(&id).cloned();
                if known.is_some() == (kind == "create_user") {
                    return Err(Refusal::not_now(
                        format!("{id} is {}there", if known.is_some() { "" } else { "not " }),
                        "GET /_sim/state",
                    ));
                }
                told.push(("UserID", id.clone()));
                if kind == "delete_user" {
                    state.users.remove(&id);
                } else {
                    let mut user = known.unwrap_or_else(|| json!({"userid": id, "name": id, "department": [1], "status": 1, "enable": 1, "open_userid": format!("wo{id}")}));
                    for field in ["name", "department", "status"] {
                        if !what[field].is_null() {
                            user[field] = what[field].clone();
                        }
                    }
                    let departments: Vec<_> = user["department"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .map(ToString::to_string)
                        .collect();
                    told.push(("Name", user["name"].as_str().unwrap_or_default().to_owned()));
                    told.push(("Department", departments.join(",")));
                    told.push(("Status", user["status"].to_string()));
                    state.users.insert(id, user);
                }
            }
            "create_party" | "update_party" | "delete_party" => {
                let id = what["id"].as_u64().ok_or_else(|| missing("id"))?;
                let known = state.parties.get(&id).cloned();
                if known.is_some() == (kind == "create_party") {
                    return Err(Refusal::not_now(
                        format!("{id} is {}there", if known.is_some() { "" } else { "not " }),
                        "GET /_sim/state",
                    ));
                }
                told.push(("Id", id.to_string()));
                if kind == "delete_party" {
                    state.parties.remove(&id);
                } else {
                    let mut party =
                        known.unwrap_or_else(|| json!({"id": id, "name": id.to_string(), "parentid": 1, "order": 1}));
                    for field in ["name", "parentid"] {
                        if !what[field].is_null() {
                            party[field] = what[field].clone();
                        }
                    }
                    told.push(("Name", party["name"].as_str().unwrap_or_default().to_owned()));
                    told.push(("ParentId", party["parentid"].to_string()));
                    state.parties.insert(id, party);
                }
            }
            _ => return Err(Refusal::unknown_kind(&what["kind"], KINDS)),
        }
        let fields: String = told
            .iter()
            .map(|(n, v)| format!("<{n}><![CDATA[{}]]></{n}>", v.replace("]]>", "]] >")))
            .collect();
        Ok(format!(
            "<xml><ToUserName><![CDATA[{}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName><CreateTime>{}</CreateTime>\
             <MsgType><![CDATA[event]]></MsgType><Event><![CDATA[change_contact]]></Event><ChangeType><![CDATA[{kind}]]></ChangeType>{fields}</xml>",
            self.corpid,
            self.base.clock.now().as_secs()
        ))
    }
}
