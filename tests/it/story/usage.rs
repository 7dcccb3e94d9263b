//! Step 5: calls through the gateway are routed, authenticated and counted, and end at the quota.

use super::Story;
use super::sign_in::Member;
use anyhow::{Context as _, ensure};
use serde_json::json;

const LIMIT: u64 = 5;

pub(super) async fn until_the_quota(story: &mut Story, member: &Member) -> anyhow::Result<()> {
    let route = json!({
        "path_prefix": "/v1/",
        "upstream": story.upstream.url(),
        "tenant": "acme",
        "meter": "api.calls",
        "strip_prefix": false,
        "timeout_ms": 5_000,
    });
    story.operator.post("/api/v1/routes", route).await?.ok(201)?;
    let in_tenant = story.operator.at(story.host.tenant_path("acme"));
    let changed = in_tenant
        .put("/api/v1/quotas/api.calls", json!({"limit": LIMIT}))
        .await?;
    changed.ok(200)?;
    story.changes.push(("quota.limit_set", changed.request_id().to_owned()));
    story
        .owner
        .put("/api/v1/quotas/api.calls", json!({"limit": null}))
        .await?
        .problem(403, "permission_denied")?;

    // Nobody known: neither routed nor counted.
    story
        .host
        .tenant_visitor("acme")
        .get("/v1/models")
        .await?
        .problem(401, "unauthenticated")?;
    ensure!(
        story.upstream.requests().is_empty(),
        "an unknown caller reached the upstream"
    );

    for call in 1..=LIMIT {
        // The session and the token are the same person and draw from the same quota.
        let caller = if call % 2 == 0 { &member.session } else { &member.token };
        let answer = caller.get(&format!("/v1/models?call={call}")).await?;
        let body = answer.ok(200)?;
        ensure!(body["path"] == "/v1/models", "{answer}");
        ensure!(answer.header("ratelimit-limit") == LIMIT.to_string(), "{answer}");
        ensure!(
            answer.header("ratelimit-remaining") == (LIMIT - call).to_string(),
            "{answer}"
        );
    }
    for caller in [&member.session, &member.token] {
        let refused = caller.get("/v1/models").await?;
        let problem = refused.problem(429, "quota_exceeded")?;
        ensure!(
            problem["meter"] == "api.calls" && problem["limit"] == LIMIT,
            "{problem}"
        );
        ensure!(refused.header("ratelimit-remaining") == "0", "{refused}");
        ensure!(refused.header("ratelimit-reset").parse::<u64>().is_ok(), "{refused}");
        ensure!(refused.header("retry-after").parse::<u64>().is_ok(), "{refused}");
    }

    let requests = story.upstream.requests();
    ensure!(
        requests.len() as u64 == LIMIT,
        "{} calls reached the upstream, {LIMIT} were allowed",
        requests.len()
    );
    for request in &requests {
        let headers = request.headers();
        for ours in ["authorization", "cookie"] {
            ensure!(!headers.contains_key(ours), "{ours} reached the upstream: {headers:?}");
        }
        for identity in [
            "x-aistack-tenant",
            "x-aistack-user",
            "x-aistack-identity",
            "x-aistack-request-id",
        ] {
            ensure!(
                headers.contains_key(identity),
                "{identity} did not reach the upstream: {headers:?}"
            );
        }
    }

    let quotas = member.session.get("/api/v1/quotas").await?.ok(200)?;
    let quota = quotas["items"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|quota| quota["meter"] == "api.calls");
    let quota = quota.context("a quota of API calls")?;
    ensure!(quota["used"] == LIMIT && quota["remaining"] == 0, "{quota}");
    let usage = story
        .owner
        .get("/api/v1/usage?meter=api.calls&bucket=hour")
        .await?
        .ok(200)?;
    ensure!(usage["total"] == LIMIT, "{usage}");
    Ok(())
}
