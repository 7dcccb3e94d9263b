//! Every route × {own, another tenant's, a closed tenant's, half another's, nobody's, nil}: what is not the caller's own
//! is not there, in the same words as what does not exist, and nothing happens.

use super::{
    World,
    recipes::{IN_BODIES, NAMES, Own, RECIPES, Recipe, fill_path, uncovered},
    things::{Things, fill, nobodys},
};
use crate::support::{Actor, Answer};
use aistack_core::{Isolation, Permission};
use aistack_http::{
    registry::{Need, Realm},
    routes,
};
use serde_json::{Value, json};

#[test]
fn every_route_about_a_thing_of_a_tenant_has_a_recipe() {
    let wrong = uncovered();
    assert!(
        wrong.is_empty(),
        "add them to tests/it/isolation/recipes.rs:\n{}",
        wrong.join("\n")
    );
}

async fn ask(by: &mut Actor, recipe: &Recipe, things: &Things) -> Answer {
    let (kind, body) = match recipe.body(things) {
        Some(body) => (Some("application/json"), body.to_string().into_bytes()),
        None => (None, Vec::new()),
    };
    by.send(recipe.method(), &recipe.path(things), kind, body).await
}

/// Status and body without what differs between two requests.
fn words(answer: &Answer, things: &Things) -> String {
    let mut body = answer.body.clone();
    if let Value::Object(map) = &mut body {
        map.remove("request_id");
    }
    let mut text = body.to_string();
    for (name, id) in things.iter().filter(|(name, _)| !NAMES.contains(name)) {
        text = text.replace(id, &format!("<{name}>"));
    }
    format!("{} {text}", answer.status)
}

async fn whole_matrix(isolation: Isolation) {
    let mut w = World::new(isolation).await;
    let mut wrong = Vec::new();
    for recipe in RECIPES {
        let about: Vec<_> = recipe.params().into_iter().filter(|p| !NAMES.contains(p)).collect();
        if about.is_empty() {
            continue;
        }
        let random = nobodys(&w.acme.things, false);
        let answer = ask(&mut w.acme.owner, recipe, &random).await;
        let nobody = words(&answer, &random);
        let mut cases = vec![
            ("another's", w.rival.things.clone()),
            ("a closed tenant's", w.gone.things.clone()),
            ("nil", nobodys(&w.acme.things, true)),
        ];
        // The last thing in the path is another's, what it hangs on is the caller's own; and the other way round.
        if let [first, .., last] = about[..] {
            for (whose, name) in [("own, then another's", last), ("another's, then own", first)] {
                let mut mixed = w.acme.things.clone();
                mixed.insert(name, w.rival.things[name].clone());
                cases.push((whose, mixed));
            }
        }
        let before = (
            w.rival.state(&w.p).await,
            w.gone.state(&w.p).await,
            w.acme.state(&w.p).await,
        );
        for (whose, things) in cases {
            let answer = ask(&mut w.acme.owner, recipe, &things).await;
            if answer.status != recipe.absent || words(&answer, &things) != nobody {
                wrong.push(format!(
                    "{} with {whose} things: {}, for nobody's: {nobody}",
                    recipe.name(),
                    words(&answer, &things)
                ));
            }
        }
        let after = (
            w.rival.state(&w.p).await,
            w.gone.state(&w.p).await,
            w.acme.state(&w.p).await,
        );
        if (&before.0, &before.1) != (&after.0, &after.1) {
            wrong.push(format!("{} changed another tenant", recipe.name()));
        }
        // Its own log may tell of what was refused.
        if without_log(&before.2) != without_log(&after.2) {
            wrong.push(format!("{} changed its own tenant", recipe.name()));
        }
        if recipe.own == Own::Stream {
            continue;
        }
        let mut own = fill(&w.p.app, &w.acme.scope, &w.acme.sentinel, &w.digest).await;
        own.insert("id", w.acme.things["id"].clone());
        let answer = ask(&mut w.acme.owner, recipe, &own).await;
        let reached = words(&answer, &own) != nobody;
        if reached != (recipe.own == Own::Reached) || [401, 403, 415].contains(&answer.status) {
            wrong.push(format!(
                "{} with own things: {} {}",
                recipe.name(),
                answer.status,
                answer.body
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All but the frontier of the audit log, which is a pair.
fn without_log(state: &str) -> String {
    state
        .lines()
        .filter(|l| !l.starts_with('('))
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test]
async fn what_is_anothers_is_not_there_with_a_file_for_each() {
    whole_matrix(Isolation::Database).await;
}

#[tokio::test]
async fn what_is_anothers_is_not_there_in_one_shared_file() {
    whole_matrix(Isolation::Row).await;
}

#[tokio::test]
async fn ids_in_bodies_are_looked_up_in_the_callers_tenant() {
    let mut w = World::new(Isolation::Row).await;
    for recipe in IN_BODIES {
        let before = (w.rival.state(&w.p).await, w.gone.state(&w.p).await);
        let random = nobodys(&w.acme.things, false);
        let nobody = ask(&mut w.acme.owner, recipe, &random).await;
        assert!((400..500).contains(&nobody.status), "{} {}", recipe.name(), nobody.body);
        for things in [w.rival.things.clone(), w.gone.things.clone()] {
            let answer = ask(&mut w.acme.owner, recipe, &things).await;
            assert_eq!(words(&answer, &things), words(&nobody, &random), "{}", recipe.name());
        }
        let own = w.acme.things.clone();
        let reached = ask(&mut w.acme.owner, recipe, &own).await;
        assert_ne!(
            words(&reached, &own),
            words(&nobody, &random),
            "{}: the recipe does not reach the own one either",
            recipe.name()
        );
        assert_eq!(
            before,
            (w.rival.state(&w.p).await, w.gone.state(&w.p).await),
            "{}",
            recipe.name()
        );
    }
}

/// A session or token of one tenant is nothing in another, and a member is nobody on the platform.
#[tokio::test]
async fn nobody_gets_in_with_what_they_have_elsewhere() {
    let mut w = World::new(Isolation::Database).await;
    let token = w.acme.owner.post("/api/v1/session/token", json!({})).await;
    let token = token.body["access_token"]
        .as_str()
        .unwrap_or_else(|| panic!("{}", token.body))
        .to_owned();
    let before = w.rival.state(&w.p).await;
    let mut wrong = Vec::new();
    let mut seen = 0;
    for route in routes::all().list() {
        let Need::Permission(permission) = route.access.need else {
            continue;
        };
        let name = format!("{} {}", route.method, route.path);
        let path = fill_path(&route.path, &w.rival.things);
        let mut attempts = Vec::new();
        if route.access.realm == Realm::Platform {
            // On the tenant's own address there is no platform; on the platform's, a member is unknown.
            attempts.push(("at their own address", w.acme.owner.clone(), vec![404]));
            attempts.push(("at the platform", at_base(&w.acme.owner), vec![401]));
            let mut bearer = w.p.at("localhost");
            bearer.bearer = Some(token.clone());
            // A token alone names its tenant, in which there is no platform.
            attempts.push(("at the platform with a token", bearer, vec![404]));
        } else {
            let mut there = w.acme.owner.clone();
            "rival.localhost".clone_into(&mut there.host);
            attempts.push(("at another's address", there, vec![401]));
            attempts.push(("below another's path", at_base(&w.acme.owner).below("rival"), vec![401]));
            let mut bearer = w.p.at("rival.localhost");
            bearer.bearer = Some(token.clone());
            attempts.push(("with a token at another's", bearer, vec![403]));
            let mut header = w.acme.owner.clone();
            header.extra.push(("x-tenant-id", "rival".to_owned()));
            attempts.push(("with another's header", header, vec![403]));
        }
        for (how, mut by, expected) in attempts {
            let body = (route.method != http::Method::GET).then(|| b"{}".to_vec());
            let kind = body.as_ref().map(|_| "application/json");
            let answer = by
                .send(route.method.clone(), &path, kind, body.unwrap_or_default())
                .await;
            if !expected.contains(&answer.status) {
                wrong.push(format!(
                    "{name} ({permission}) {how}: {} {}",
                    answer.status, answer.body
                ));
            }
            seen += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 2 * Permission::ALL.len(), "{seen}");
    // Its log may tell of the attempts.
    assert_eq!(without_log(&before), without_log(&w.rival.state(&w.p).await));
    // The control: the operator gets in.
    w.operator.get("/api/v1/tenants").await.ok(200);
}

/// Somebody's browser at the base host.
fn at_base(who: &Actor) -> Actor {
    let mut who = who.clone();
    "localhost".clone_into(&mut who.host);
    who
}
