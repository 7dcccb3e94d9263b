//! Sealing: what fits opens, anything else does not; the key file survives races and refuses loose permissions.

use super::*;
use crate::SystemRng;
use std::{fs, os::unix::fs::PermissionsExt};

fn sealer(dir: &tempfile::TempDir) -> FileSealer {
    FileSealer::open_or_create(&dir.path().join("root.key"), Arc::new(SystemRng)).unwrap()
}

#[test]
fn what_was_sealed_opens_again_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let sealed = sealer(&dir).seal("secret", b"place", b"text");
    let again = sealer(&dir);
    assert_eq!(
        again.open("secret", b"place", &sealed).unwrap().expose_secret(),
        b"text"
    );
    assert_eq!(
        again.derive("x").expose_secret(),
        sealer(&dir).derive("x").expose_secret()
    );
    assert_ne!(again.derive("x").expose_secret(), again.derive("y").expose_secret());
}

#[test]
fn sealing_twice_gives_different_texts() {
    let dir = tempfile::tempdir().unwrap();
    let s = sealer(&dir);
    assert_ne!(s.seal("p", b"", b"same"), s.seal("p", b"", b"same"));
}

#[test]
fn any_changed_or_missing_byte_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let s = sealer(&dir);
    let sealed = s.seal("p", b"aad", b"a text of some length");
    for at in 0..sealed.len() {
        let mut bad = sealed.clone();
        bad[at] ^= 1;
        assert!(s.open("p", b"aad", &bad).is_err(), "byte {at} changed");
        assert!(s.open("p", b"aad", &sealed[..at]).is_err(), "cut at {at}");
    }
    assert!(s.open("q", b"aad", &sealed).is_err(), "another purpose");
    assert!(s.open("p", b"aae", &sealed).is_err(), "another place");
}

#[test]
fn another_hosts_key_opens_nothing() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let sealed = sealer(&a).seal("p", b"", b"text");
    assert!(sealer(&b).open("p", b"", &sealed).is_err());
}

#[test]
fn a_data_key_seals_on_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let s = sealer(&dir);
    let (one, two) = (SecretBox::new(Box::new([1; 32])), SecretBox::new(Box::new([2; 32])));
    let sealed = s.seal_with(&one, b"aad", b"text");
    assert_eq!(s.open_with(&one, b"aad", &sealed).unwrap().expose_secret(), b"text");
    assert!(s.open_with(&two, b"aad", &sealed).is_err());
    assert!(s.open_with(&one, b"other", &sealed).is_err());
    assert!(
        s.open("", b"aad", &sealed).is_err(),
        "a data-key text is no root-key text"
    );
    // A data-key text does not depend on the host.
    let other = tempfile::tempdir().unwrap();
    assert!(sealer(&other).open_with(&one, b"aad", &sealed).is_ok());
}

#[test]
fn a_key_added_in_front_seals_while_the_old_one_still_opens() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("root.key");
    let old = sealer(&dir);
    let (sealed, derived) = (old.seal("p", b"", b"old"), old.derive("d"));
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("aistack-root-key-1:{}\n{text}", "ab".repeat(32))).unwrap();
    let new = sealer(&dir);
    assert_eq!(new.open("p", b"", &sealed).unwrap().expose_secret(), b"old");
    assert_eq!(new.derive("d").expose_secret(), derived.expose_secret());
    assert!(
        old.open("p", b"", &new.seal("p", b"", b"new")).is_err(),
        "the new key seals"
    );
}

#[test]
fn the_key_file_is_private_and_leaves_no_draft() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/er/root.key");
    FileSealer::open_or_create(&path, Arc::new(SystemRng)).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(
        FileSealer::open_or_create(&path, Arc::new(SystemRng)),
        Err(RootKeyError::TooOpen { mode: 0o640, .. })
    ));
}

#[test]
fn racing_starts_agree_on_one_key() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("root.key");
    let keys: Vec<[u8; 32]> = std::thread::scope(|s| {
        let starts: Vec<_> = (0..8)
            .map(|_| s.spawn(|| *sealer_at(&path).derive("x").expose_secret()))
            .collect();
        starts.into_iter().map(|h| h.join().unwrap()).collect()
    });
    assert!(keys.iter().all(|k| *k == keys[0]));
}

fn sealer_at(path: &Path) -> FileSealer {
    FileSealer::open_or_create(path, Arc::new(SystemRng)).unwrap()
}

#[test]
fn a_file_that_holds_no_key_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("root.key");
    for content in ["", "# only a comment\n", "hello\n", "aistack-root-key-1:abcd\n"] {
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(
            FileSealer::open_or_create(&path, Arc::new(SystemRng)),
            Err(RootKeyError::Malformed { .. })
        ));
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

#[test]
fn a_generated_signing_key_signs_for_its_public_half() {
    let dir = tempfile::tempdir().unwrap();
    let pair = sealer(&dir).generate_ed25519();
    assert_eq!(pair.public.len(), 32);
    let key = Ed25519KeyPair::from_pkcs8(pair.pkcs8.expose_secret()).unwrap();
    let signature = key.sign(b"message");
    let verify = |message: &[u8]| sealer(&dir).verify_ed25519(&pair.public, message, signature.as_ref());
    assert!(verify(b"message") && !verify(b"messagE"));
}
