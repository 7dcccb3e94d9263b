//! Line 34: directories that never end, go in circles, or are empty all of a sudden.

use super::{Stage, audit_holds, configure, enable, id, logins::sign_in, neighbour::with_good_neighbour, told};
use aistack_tests::{host::Store, need, peers::PeerError};
use serde_json::{Value, json};

#[tokio::test]
async fn hostile_34_a_directory_ends_and_does_not_lock_everybody_out() {
    need!(directories().await);
}

async fn directories() -> Result<(), PeerError> {
    let stage = Stage::set(Store::Sqlite).await?;
    with_good_neighbour(&stage, async {
        let door = enable(&stage.owner, "test.door", json!({})).await?;
        let path = format!("/api/v1/installations/{}/directory/sync", id(&door));
        let sync = |confirm: bool| stage.owner.post(&path, json!({"confirm": confirm}));
        let holds = async |directory: Value| configure(&stage.owner, &door, json!({"directory": directory})).await;
        let active = async || -> anyhow::Result<usize> {
            let users = stage.owner.all("/api/v1/users").await?;
            Ok(users.iter().filter(|u| u["status"] == "active").count())
        };
        let mut people = Vec::new();
        for n in 0..12 {
            let who = json!({"subject": format!("p{n}"), "email": format!("p{n}@door.test"), "verified": true});
            let (mut person, done) = sign_in(&stage, "acme", &door, &who).await?;
            done.ok(200)?;
            person.resume().await?;
            people.push(person);
        }
        assert_eq!(active().await?, 13);

        // A member has no business with it.
        people[0]
            .post(&path, json!({"confirm": true}))
            .await?
            .problem(403, "permission_denied")?;
        // All there, and many more.
        holds(json!({"people": 1_200})).await?;
        let synced = sync(false).await?.ok(200)?;
        assert_eq!(
            synced,
            json!({"pages": 3, "people": 1_200, "complete": true, "members": 12, "disabled": 0})
        );
        // Without end, in circles, and cut short: nobody is taken for gone, confirmed or not.
        for (directory, code) in [
            (json!({"end": false}), "directory_too_large"),
            (json!({"stuck": true, "people": 3}), "directory_repeats"),
        ] {
            holds(directory).await?;
            for confirm in [false, true] {
                assert_eq!(sync(confirm).await?.problem(502, "plugin_failed")?["fault"], code);
            }
            assert!(
                told(&stage.owner, "login.refused", code).await? >= 2,
                "{code} is on record"
            );
        }
        assert_eq!(active().await?, 13);
        // Empty: the brake holds until somebody says that it is meant.
        holds(json!({"empty": true})).await?;
        let braked = sync(false).await?.problem(409, "conflict")?;
        assert_eq!(
            (&braked["reason"], &braked["gone"], &braked["members"]),
            (&json!("deletion_brake"), &json!(12), &json!(12))
        );
        assert!(
            braked["hint"].as_str().is_some_and(|h| h.contains("confirm")),
            "{braked}"
        );
        assert_eq!(active().await?, 13);
        assert_eq!(told(&stage.owner, "login.refused", "deletion_brake").await?, 1);
        people[11].get("/api/v1/session").await?.ok(200)?;
        // One of twelve is a change like any other: gone, the session with it, and on record.
        holds(json!({"people": 11})).await?;
        assert_eq!(sync(false).await?.ok(200)?["disabled"], 1);
        assert_eq!(people[11].get("/api/v1/session").await?.status, 401);
        people[0].get("/api/v1/session").await?.ok(200)?;
        assert_eq!(
            (
                active().await?,
                told(&stage.owner, "directory.synced", id(&door)).await?
            ),
            (12, 2)
        );
        // Meant: everybody but the owner, who does not come from there.
        holds(json!({"empty": true})).await?;
        assert_eq!(sync(true).await?.ok(200)?["disabled"], 11);
        assert_eq!(active().await?, 1);
        audit_holds(&stage.owner).await
    })
    .await?;
    Ok(())
}
