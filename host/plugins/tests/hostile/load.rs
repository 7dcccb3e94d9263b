//! Lines 13 to 16: what is uploaded to harm the host that reads or compiles it.

use super::{forge, with_good_neighbour};
use crate::{
    admission::{cache_file, in_child},
    harness::*,
};
use aistack_domain::plugins::port::*;
use aistack_plugins::PluginHost;
use secrecy::SecretBox;
use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_13_compile_bombs_are_refused_off_the_threads_that_serve() {
    let good = component("report");
    // So many ifs, one in the other, over so many locals: seconds of a compiler's time in a few kilobytes.
    let ifs = [[0x41, 1, 0x04, 0x40].repeat(20_000), [0x0b].repeat(20_000)].concat();
    let b = Bench::with(|c| {
        c.dir = tempfile::tempdir().unwrap().keep();
        c.compile = in_child();
        c.compile_cpu = Duration::from_secs(2);
    });
    with_good_neighbour(&b, async {
        for (what, bytes) in [
            (
                "very many functions",
                forge::with_module(&good, &forge::code(100_001, &[]), 0),
            ),
            (
                "a huge function",
                forge::with_module(&good, &forge::code(1, &vec![0x01; 1 << 20]), 0),
            ),
            ("components in components", forge::nested(&good, 9)),
            (
                "a hundred thousand functions",
                forge::with_module(&good, &forge::code(99_000, &ifs[..400]), 0),
            ),
        ] {
            let asked = Instant::now();
            let refused = b.host.admit(&bytes).await.unwrap_err();
            let expected = matches!(
                refused,
                Refusal::Compile(_) | Refusal::TooLarge { .. } | Refusal::NotAComponent(_)
            );
            assert!(expected, "{what}: {refused:?}");
            assert!(asked.elapsed() < Duration::from_secs(60), "{what}");
        }
        // Where each function is worth compiling, the child's own limit ends it.
        let busy = forge::with_module(
            &good,
            &forge::code(40_000, &[[0x41, 1, 0x04, 0x40, 0x0b].repeat(20)].concat()),
            0,
        );
        let refused = b.host.admit(&busy).await.unwrap_err();
        assert!(
            matches!(&refused, Refusal::Compile(why) if why.contains("limits on CPU time")),
            "{refused:?}"
        );
        let size = 17 << 20;
        let refused = b.host.admit(&vec![0; size]).await;
        let max = 16 << 20;
        assert_eq!(refused, Err(Refusal::TooLarge { size: size as u64, max }));
        assert!(
            b.host.admit(&forge::nested(&good, 6)).await.is_ok(),
            "a few within each other are fine"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_14_what_is_no_component_is_refused_as_such() {
    let b = Bench::new();
    with_good_neighbour(&b, async {
        let whole = component("report");
        let core_module = b"\0asm\x01\0\0\0".to_vec();
        let mut inputs = vec![
            vec![],
            b"hello".to_vec(),
            b"\0asm".to_vec(),
            core_module,
            b"\x7fELF\x02\x01\x01\0".to_vec(),
        ];
        for cut in [8, 9, 100, whole.len() / 2, whole.len() - 1] {
            inputs.push(whole[..cut].to_vec());
        }
        for bytes in inputs {
            let refusal = b.host.admit(&bytes).await.unwrap_err();
            let eight = bytes.len() == 8 && bytes.starts_with(b"\0asm\x0d");
            match refusal {
                Refusal::NotAComponent(_) => {}
                // The empty component is one; it is of no world.
                Refusal::WrongWorld(_) if eight => {}
                other => panic!("{} bytes: {other:?}", bytes.len()),
            }
        }
        let words = b.host.admit(b"\0asm\x01\0\0\0").await.unwrap_err().to_string();
        assert!(words.contains("core module"), "{words}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_15_tampered_native_code_is_compiled_anew() {
    let b = Bench::new();
    with_good_neighbour(&b, async {
        let dir = tempfile::tempdir().unwrap();
        let open = |key: u8| {
            let mut c = config(dir.path());
            c.cache_key = SecretBox::new(Box::new([key; 32]));
            PluginHost::new(c, clock(), Arc::new(CountingRng::default())).unwrap()
        };
        let bytes = component("start");
        let digest = open(1).admit(&bytes).await.unwrap().digest;
        let file = cache_file(dir.path(), &digest);
        let genuine = fs::read(&file).unwrap();
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(dir.path().join("compiled")).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o700);

        // Untouched: used as it is.
        let before = fs::metadata(&file).unwrap().modified().unwrap();
        open(1).admit(&bytes).await.unwrap();
        assert_eq!(
            fs::metadata(&file).unwrap().modified().unwrap(),
            before,
            "an intact file is not written again"
        );

        let seal = file.with_extension("seal");
        let genuine_seal = fs::read(&seal).unwrap();
        for (path, genuine, at, what) in [
            (&file, &genuine, 0, "header"),
            (&file, &genuine, genuine.len() / 2, "code"),
            (&file, &genuine, genuine.len() - 1, "end"),
            (&seal, &genuine_seal, 0, "magic"),
            (&seal, &genuine_seal, 20, "tag"),
            (&seal, &genuine_seal, 60, "what is known of it"),
        ] {
            let mut bad = genuine.clone();
            bad[at] ^= 1;
            fs::write(path, &bad).unwrap();
            assert!(!open(1).recall(&digest).await, "{what}");
            open(1).admit(&bytes).await.unwrap();
            assert_ne!(fs::read(path).unwrap(), bad, "{what}");
            assert!(open(1).recall(&digest).await, "{what}: whole again");
        }
        fs::write(&file, &genuine[..genuine.len() / 3]).unwrap();
        open(1).admit(&bytes).await.unwrap();
        assert!(fs::read(&file).unwrap().len() > genuine.len() / 2, "a truncated file");

        // Another component's genuine code under this name, and code of a host with another key.
        let other = open(1).admit(&component("report")).await.unwrap().digest;
        fs::copy(cache_file(dir.path(), &other), &file).unwrap();
        let swapped = fs::read(&file).unwrap();
        assert!(!open(1).recall(&digest).await);
        open(1).admit(&bytes).await.unwrap();
        assert_ne!(fs::read(&file).unwrap(), swapped);
        let by_key_one = fs::read(&seal).unwrap();
        assert!(!open(2).recall(&digest).await);
        open(2).admit(&bytes).await.unwrap();
        assert_ne!(fs::read(&seal).unwrap(), by_key_one);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_16_another_digest_and_misplaced_signatures_are_refused() {
    let b = Bench::new();
    let good = component("report");
    let signed = |extra: &str| {
        let one = format!(r#"[{{"publisher":"acme","key_id":"00ff","alg":"Ed25519","sig":"AQID"{extra}}}]"#);
        forge::custom(SIGNATURE_SECTION, one.as_bytes())
    };
    with_good_neighbour(&b, async {
        let plain = b.host.admit(&good).await.unwrap();
        assert_eq!((plain.signatures.len(), plain.payload_size), (0, good.len() as u64));
        let refused = b.host.restore(&plain.digest, &component("start")).await;
        assert!(
            matches!(refused, Err(Refusal::Host(_))),
            "other bytes under the same digest"
        );

        let sealed = b.host.admit(&[good.clone(), signed("")].concat()).await.unwrap();
        assert_eq!(sealed.signatures[0].publisher, "acme");
        assert_eq!(
            sealed.payload_sha256, plain.payload_sha256,
            "signing changes nothing of what is signed"
        );
        assert_ne!(sealed.digest, plain.digest);
        for (what, bytes) in [
            ("code behind it", [signed(""), section_of_a_module()].concat()),
            ("two of them", [signed(""), signed("")].concat()),
            ("unknown members", signed(r#","trusted":true"#)),
        ] {
            let refused = b.host.admit(&[good.clone(), bytes].concat()).await.unwrap_err();
            assert!(matches!(refused, Refusal::Signatures(_)), "{what}: {refused:?}");
        }
    })
    .await;
}

fn section_of_a_module() -> Vec<u8> {
    forge::section(1, &forge::code(1, &[]))
}
