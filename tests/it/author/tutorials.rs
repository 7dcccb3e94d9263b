//! The tutorials in `docs/plugins`, as a reader does them: the blocks marked `sh`, typed one after the other into one shell,
//! in an empty folder.

use super::compiled;
use aistack_tests::{
    host::binary,
    need,
    peers::{Command, compiler, free_port, programs},
    repository,
};
use std::{fs, time::Duration};

const TUTORIALS: [&str; 3] = ["identity", "payment", "report"];
/// What the shell says when it came to the end.
const DONE: &str = "== the tutorial is done";

/// The commands of a tutorial: a text per block, with the line it stands on.
fn commands(file: &str) -> Vec<(usize, String)> {
    let text = fs::read_to_string(repository().join("docs/plugins").join(file)).unwrap();
    let mut blocks = Vec::new();
    let mut block: Option<(usize, String)> = None;
    for (n, line) in text.lines().enumerate() {
        match (&mut block, line) {
            (None, "```sh") => block = Some((n + 2, String::new())),
            (Some(_), "```") => blocks.extend(block.take()),
            (Some((_, commands)), line) => {
                commands.push_str(line);
                commands.push('\n');
            }
            (None, _) => {}
        }
    }
    assert!(block.is_none(), "{file}: a block does not end");
    blocks
}

#[test]
fn tutorials_have_the_same_commands_in_both_languages() {
    for name in TUTORIALS {
        let of = |file: String| commands(&file).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        let (en, zh) = (of(format!("{name}.md")), of(format!("{name}.zh-CN.md")));
        assert!(en.len() >= 5, "{name}.md has {} blocks", en.len());
        assert_eq!(en, zh, "{name}");
    }
}

/// Types all of a tutorial's commands. The ports it names are replaced by free ones.
async fn typed(name: &str, environment: &[(&str, String)]) {
    let binary = binary("aistack").unwrap();
    let mut script = "exec >\"$OUTPUT\" 2>&1\nset -euxo pipefail\ncd \"$FOLDER\"\n".to_owned();
    let ports = ["8300", "8301"].map(|named| (named, free_port().unwrap().to_string()));
    for (line, mut block) in commands(&format!("{name}.md")) {
        for (named, free) in &ports {
            block = block.replace(named, free);
        }
        script.push_str(&format!(": {name}.md:{line}\n{block}"));
        if block.contains("aistack plugin new ") {
            // They stand in the new project as well.
            for (named, free) in &ports {
                script.push_str(&format!("sed -i s/:{named}/:{free}/ aistack-dev.toml\n"));
            }
        }
    }
    script.push_str(&format!("echo '{DONE}'\n"));

    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name).display().to_string();
    fs::create_dir(at("empty")).unwrap();
    fs::write(at("typed.sh"), script).unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("bash")
        .unwrap()
        .arg(at("typed.sh"))
        .env("FOLDER", at("empty"))
        .env("OUTPUT", at("output"))
        .env("PATH", format!("{}:{path}", binary.parent().unwrap().display()))
        .env("PORT", free_port().unwrap().to_string())
        .env("CARGO_TARGET_DIR", compiled(&binary).display().to_string())
        .env("XDG_CONFIG_HOME", at("config"))
        .env("XDG_CACHE_HOME", at("cache"))
        .unset("AISTACK_URL")
        .unset("AISTACK_CONFIG");
    for (name, value) in environment {
        shell = shell.env(*name, value);
    }
    let output = || fs::read_to_string(at("output")).unwrap_or_default();
    let mut shell = shell.spawn().unwrap();
    let done = shell
        .ready(Duration::from_secs(900), |_| {
            let done = output().lines().any(|l| l == DONE);
            async move { done.then_some(()) }
        })
        .await;
    // The last moments of a shell that is already gone may have been missed.
    if let Err(error) = done
        && !output().lines().any(|l| l == DONE)
    {
        let output = output();
        let lines: Vec<&str> = output.lines().collect();
        let last = lines[lines.len().saturating_sub(40)..].join("\n");
        panic!("{name}.md: {error}\n{last}");
    }
}

/// Where the compilers of the other languages are; `need!` has seen that they are there.
fn compilers(cache: &std::path::Path) -> [(&'static str, String); 1] {
    [("AISTACK_AUTHOR_CACHE", cache.display().to_string())]
}

#[tokio::test]
async fn tutorial_identity() {
    need!(programs(&["curl", "npm", "patch", "python3"]));
    let cache = need!(compiler("js"));
    typed("identity", &compilers(&cache)).await;
}

#[tokio::test]
async fn tutorial_payment() {
    need!(programs(&["curl", "openssl", "patch", "python3"]));
    typed("payment", &[]).await;
}

#[tokio::test]
async fn tutorial_report() {
    need!(programs(&["patch", "python3"]));
    let cache = need!(compiler("python"));
    typed("report", &compilers(&cache)).await;
}
