//! Objects appear whole or not at all, in whatever step the disk fails; nothing leads out of the root.

use super::*;
use aistack_domain::port::put_object;

fn key(name: &str) -> ObjectKey {
    ObjectKey::platform(&["plugins", name]).unwrap()
}

fn store(dir: &tempfile::TempDir) -> FileObjects {
    FileObjects::open(&dir.path().join("objects")).unwrap()
}

fn drafts(dir: &tempfile::TempDir) -> usize {
    std::fs::read_dir(dir.path().join("objects/tmp")).unwrap().count()
}

#[tokio::test]
async fn an_object_is_read_back_whole_and_in_parts_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let s = store(&dir);
    let mut w = s.create(&key("a.wasm")).await.unwrap();
    w.write(b"hello ").await.unwrap();
    w.write(b"world").await.unwrap();
    assert!(matches!(s.read(&key("a.wasm")).await, Err(ObjectError::NotFound(_))));
    let (size, digest) = w.finish().await.unwrap();
    assert_eq!(size, 11);
    assert_eq!(digest, hex::encode(Sha256::digest(b"hello world")));
    let s = store(&dir);
    assert_eq!(s.read(&key("a.wasm")).await.unwrap(), b"hello world");
    assert_eq!(s.read_at(&key("a.wasm"), 6, 3).await.unwrap(), b"wor");
    assert_eq!(s.read_at(&key("a.wasm"), 6, usize::MAX).await.unwrap(), b"world");
    assert_eq!(s.read_at(&key("a.wasm"), 100, 3).await.unwrap(), b"");
    s.remove(&key("a.wasm")).await.unwrap();
    s.remove(&key("a.wasm")).await.unwrap();
    assert!(matches!(s.read(&key("a.wasm")).await, Err(ObjectError::NotFound(_))));
}

#[tokio::test]
async fn an_abandoned_writer_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let s = store(&dir);
    let mut w = s.create(&key("a")).await.unwrap();
    w.write(b"half").await.unwrap();
    drop(w);
    assert_eq!(drafts(&dir), 0);
    assert!(matches!(s.read(&key("a")).await, Err(ObjectError::NotFound(_))));
}

#[tokio::test]
async fn drafts_of_a_killed_process_are_swept() {
    let dir = tempfile::tempdir().unwrap();
    drop(store(&dir));
    std::fs::write(dir.path().join("objects/tmp/7.part"), b"half").unwrap();
    drop(store(&dir));
    assert_eq!(drafts(&dir), 0);
}

#[tokio::test]
async fn bytes_are_durable_before_the_name_and_the_name_before_the_answer() {
    let dir = tempfile::tempdir().unwrap();
    let s = store(&dir);
    put_object(&s, &key("a"), b"x").await.unwrap();
    let done = s.disk.script.lock().unwrap().done.clone();
    let at = |step| done.iter().position(|s| *s == step).unwrap();
    assert_eq!(at("sync file"), 0);
    assert!(at("sync file") < at("rename"));
    assert_eq!(done.last(), Some(&"sync folder"), "{done:?}");
    assert_eq!(done[done.len() - 2], "rename", "{done:?}");
}

#[tokio::test]
async fn a_failure_at_any_step_leaves_the_old_object_or_the_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let s = store(&dir);
    put_object(&s, &key("a"), b"old").await.unwrap();
    let steps = s.disk.script.lock().unwrap().done.len();
    for step in 0..steps {
        *s.disk.script.lock().unwrap() = disk::Script {
            done: Vec::new(),
            fail_at: Some(step),
        };
        assert!(put_object(&s, &key("a"), b"new").await.is_err(), "step {step}");
        let seen = s.read(&key("a")).await.unwrap();
        let renamed = s.disk.script.lock().unwrap().done.contains(&"rename");
        assert_eq!(seen, if renamed { b"new" } else { b"old" }, "step {step}");
        assert_eq!(drafts(&dir), 0, "step {step}");
        s.disk.script.lock().unwrap().fail_at = None;
        put_object(&s, &key("a"), b"old").await.unwrap();
    }
}

#[tokio::test]
async fn racing_writers_of_one_key_leave_one_whole_object() {
    let dir = tempfile::tempdir().unwrap();
    let s = store(&dir);
    let writers: Vec<_> = (0..8u8)
        .map(|n| {
            let s = s.clone();
            tokio::spawn(async move { put_object(&s, &key("a"), &[n; 10_000]).await.unwrap() })
        })
        .collect();
    for w in writers {
        w.await.unwrap();
    }
    let got = s.read(&key("a")).await.unwrap();
    assert_eq!(got.len(), 10_000);
    assert!(got.iter().all(|b| *b == got[0]));
}

#[tokio::test]
async fn no_key_and_no_link_leads_out_of_the_root() {
    let dir = tempfile::tempdir().unwrap();
    let s = store(&dir);
    assert!(ObjectKey::stored("../outside/file").is_none());
    assert!(ObjectKey::stored("/etc/passwd").is_none());
    assert!(ObjectKey::stored("tmp/0.part").is_none());
    assert!(ObjectKey::stored("tenants/../x").is_none());

    let outside = dir.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("a"), b"secret").unwrap();
    std::fs::create_dir_all(dir.path().join("objects/platform")).unwrap();
    std::os::unix::fs::symlink(&outside, dir.path().join("objects/platform/plugins")).unwrap();
    assert!(s.read(&key("a")).await.is_err(), "a linked folder");
    assert!(put_object(&s, &key("b"), b"x").await.is_err(), "a linked folder");
    assert!(!outside.join("b").exists());
    assert!(s.remove(&key("a")).await.is_err());
    assert!(outside.join("a").exists());

    let file = ObjectKey::platform(&["link"]).unwrap();
    std::os::unix::fs::symlink(outside.join("a"), dir.path().join("objects/platform/link")).unwrap();
    assert!(s.read(&file).await.is_err(), "a linked file");
}
