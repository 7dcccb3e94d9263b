//! The suite of the identity-provider world.

use super::lifecycle::{Lifecycle, Plugin, assert_discreet, assert_well_formed};
use crate::context;
use aistack_sdk::identity::{Input, Provider, Start, Step};
use aistack_sdk::{Fault, HttpRequest, Kind};

/// What the suite needs to know beside the plugin.
pub struct Facts<'a> {
    /// The values of the secrets, which must not show up anywhere.
    pub secrets: &'a [&'a str],
}

/// How every sign-in of the suite starts.
#[must_use]
pub fn start() -> Start {
    Start {
        return_url: "https://acme.example.test/api/v1/auth/callback/ins_1".into(),
        user_agent: "conformance".into(),
        login_hint: None,
        prompt: None,
        purpose: "login".into(),
        extra: "{}".into(),
    }
}

/// Runs the suite. The plugin's sign-in has to start with a redirect.
pub fn run<P: Provider>(suite: &Plugin<'_, P>, facts: &Facts<'_>) {
    let plugin = &suite.plugin;
    let features = suite.lifecycle(
        "identity-provider",
        &Lifecycle {
            describe: &|| plugin.describe(),
            check: &|h, c, deep| plugin.check(h, c, deep),
            migrate: &|h, c, from, config| plugin.migrate(h, c, from, config),
        },
    );
    assert!(features.contains("login"), "an identity plugin signs people in");
    let mut faults = beginning(suite);
    faults.extend(returning(suite));
    assert_discreet(&suite.working(), facts.secrets, &faults);
    let host = suite.working();
    assert!(
        plugin.document(&host, &context(), "../secret").is_err(),
        "documents are not files"
    );
    assert!(plugin.job(&host, &context(), "no-such-job", None).is_err());
    let unsigned = HttpRequest {
        method: "POST".into(),
        url: "/".into(),
        headers: Vec::new(),
        body: b"{}".to_vec(),
    };
    assert!(plugin.inbound(&host, &context(), "no-such-endpoint", unsigned).is_err());
    let directory = plugin.sync(&host, &context(), true, None, 10);
    assert_eq!(
        features.contains("directory"),
        !directory.is_err_and(|f| f.kind == Kind::Unsupported)
    );
}

fn beginning<P: Provider>(suite: &Plugin<'_, P>) -> Vec<Fault> {
    let host = suite.working();
    let one = suite
        .plugin
        .begin(&host, &context(), start())
        .expect("a sign-in starts");
    let two = suite
        .plugin
        .begin(&host, &context(), start())
        .expect("another one starts");
    let (Step::Redirect(first), Step::Redirect(second)) = (&one.step, &two.step) else {
        panic!("a sign-in starts with a redirect");
    };
    assert!(first.starts_with("https://"), "the browser is sent to https: {first}");
    assert_ne!(first, second, "no two sign-ins look alike");
    assert_ne!(one.state, two.state, "no two sign-ins share state");
    assert!(
        (60..=3600).contains(&one.expires_s),
        "a sign-in waits for minutes: {}",
        one.expires_s
    );

    let cut_off = suite.working();
    cut_off.break_network(Fault::transport("unreachable", "no route"));
    match suite.plugin.begin(&cut_off, &context(), start()) {
        // Providers without discovery have nothing to ask at this point.
        Ok(_) => Vec::new(),
        Err(fault) => {
            assert_eq!(fault.kind, Kind::Transport);
            assert_well_formed(&fault);
            vec![fault]
        }
    }
}

/// Whatever comes back from the browser without being right.
fn returning<P: Provider>(suite: &Plugin<'_, P>) -> Vec<Fault> {
    let host = suite.working();
    let state = suite
        .plugin
        .begin(&host, &context(), start())
        .expect("a sign-in starts")
        .state;
    let back = |query: &str| Input::Http(HttpRequest::get(format!("/callback?{query}")));
    let mut faults = Vec::new();
    for (state, input) in [
        (state.as_slice(), back("")),
        (&state, back("code=stolen")),
        (&state, back("code=stolen&state=")),
        (&state, back("code=stolen&state=wrong")),
        (&state, back("state=%FF%00&code=%00&code=2")),
        (&state, back("error=access_denied")),
        (&state, Input::Poll),
        (&state, Input::Fields(Vec::new())),
        (b"", back("code=1&state=1")),
        (b"{}", back("code=1&state=1")),
        (b"\xff\xfe", back("code=1&state=1")),
    ] {
        let fault = suite
            .plugin
            .resume(&host, &context(), state, input.clone())
            .expect_err("refused");
        assert!(
            fault.kind != Kind::Internal,
            "{input:?} is not the plugin's defect: {fault:?}"
        );
        assert_well_formed(&fault);
        faults.push(fault);
    }
    faults
}
