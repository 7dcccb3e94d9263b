//! What the browser brings back: compared before it is believed.

use super::*;
use aistack_sdk::Kind;

/// A sign-in under way, with a token that would be fine.
fn waiting(metadata: &Value) -> (FakeHost, Begun) {
    let host = with_metadata(config(), metadata);
    let begun = Begun::on(&host);
    answer_with(&host, &key("RS256").jws(&claims(&host, &begun.param("nonce").unwrap())));
    (host, begun)
}

#[test]
fn state_and_parameters() {
    let (host, begun) = waiting(&metadata());
    for (query, kind, code) in [
        ("code=c0de", Kind::Denied, "state_mismatch"),
        ("code=c0de&state=", Kind::Denied, "state_mismatch"),
        ("code=c0de&state=STATEx", Kind::Denied, "state_mismatch"),
        ("code=c0de&state=AAAAAAAAAAAAAAAAAAAAAA", Kind::Denied, "state_mismatch"),
        ("error=access_denied&state=other", Kind::Denied, "state_mismatch"),
        ("state=STATE", Kind::InvalidInput, "response_malformed"),
        ("code=&state=STATE", Kind::InvalidInput, "response_malformed"),
        ("code=a&code=b&state=STATE", Kind::InvalidInput, "response_malformed"),
        (
            "code=a&state=STATE&state=STATE",
            Kind::InvalidInput,
            "response_malformed",
        ),
        (
            "code=a&state=STATE&iss=a&iss=b",
            Kind::InvalidInput,
            "response_malformed",
        ),
    ] {
        let fault = begun.back(&host, query).unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (kind, code), "{query}");
    }
    let long = format!("code={}&state=STATE", "x".repeat(5000));
    assert_eq!(begun.back(&host, &long).unwrap_err().code, "response_malformed");
    let put = HttpRequest {
        method: "PUT".into(),
        ..HttpRequest::get("/callback?code=c0de")
    };
    assert_eq!(begun.with(&host, put).unwrap_err().code, "response_malformed");
    assert!(
        host.requests().iter().all(|r| r.url != TOKEN),
        "no code was spent on any of these"
    );
    assert!(begun.back(&host, "code=c0de&state=STATE&session_state=x").is_ok());
}

#[test]
fn a_form_post_is_read_like_a_query() {
    let (host, begun) = waiting(&metadata());
    let body = format!("code=c0de&state={}", begun.param("state").unwrap());
    assert!(
        begun
            .with(&host, HttpRequest::post_form("/callback?code=other&state=other", body))
            .is_ok()
    );
}

#[test]
fn the_state_of_another_sign_in_does_not_fit() {
    let (host, one) = waiting(&metadata());
    let other = Begun::on(&host);
    let crossed = Begun {
        state: one.state.clone(),
        url: other.url.clone(),
    };
    assert_eq!(
        crossed.back(&host, "code=c0de&state=STATE").unwrap_err().code,
        "state_mismatch"
    );
    for state in [&b""[..], b"{}", b"null", b"\xff", br#"{"state":"x","nonce":"","verifier":"","redirect_uri":"","issuer":"","client_id":"","max_age":null,"more":1}"#] {
        let odd = Begun { state: state.to_vec(), url: one.url.clone() };
        assert_eq!(odd.back(&host, "code=c0de&state=STATE").unwrap_err().code, "state_unreadable");
    }
}

#[test]
fn a_changed_connection_ends_sign_ins_under_way() {
    let (host, begun) = waiting(&metadata());
    let host = host.config(config_with(json!({"client_id": "another-client"})));
    let fault = begun.back(&host, "code=c0de&state=STATE").unwrap_err();
    assert_eq!(
        (fault.kind, fault.code.as_str()),
        (Kind::Expired, "configuration_changed")
    );
}

/// RFC 9207.
#[test]
fn the_answering_issuer_is_compared() {
    let encoded = "https%3A%2F%2Fid.example.test%2Frealms%2Fmain";
    let mut naming = metadata();
    naming["authorization_response_iss_parameter_supported"] = json!(true);
    for (metadata, query, code) in [
        (&metadata(), format!("code=c0de&state=STATE&iss={encoded}"), None),
        (&metadata(), "code=c0de&state=STATE".into(), None),
        (
            &metadata(),
            format!("code=c0de&state=STATE&iss={encoded}%2F"),
            Some("iss_mismatch"),
        ),
        (
            &metadata(),
            "code=c0de&state=STATE&iss=https%3A%2F%2Fevil.example".into(),
            Some("iss_mismatch"),
        ),
        (&naming, format!("code=c0de&state=STATE&iss={encoded}"), None),
        (&naming, "code=c0de&state=STATE".into(), Some("iss_missing")),
        (&naming, "code=c0de&state=STATE&iss=".into(), Some("iss_missing")),
        (&naming, "error=access_denied&state=STATE".into(), Some("iss_missing")),
        (
            &naming,
            "error=access_denied&state=STATE&iss=https%3A%2F%2Fevil.example".into(),
            Some("iss_mismatch"),
        ),
    ] {
        let (host, begun) = waiting(metadata);
        let result = begun.back(&host, &query).map_err(|f| f.code);
        assert_eq!(result.err().as_deref(), code, "{query}");
    }
}

#[test]
fn every_error_of_the_provider_has_its_code() {
    let (host, begun) = waiting(&metadata());
    for (error, kind, code) in [
        ("access_denied", Kind::Denied, "user_cancelled"),
        ("login_required", Kind::Denied, "login_required"),
        ("interaction_required", Kind::Denied, "interaction_required"),
        ("consent_required", Kind::Denied, "consent_required"),
        ("temporarily_unavailable", Kind::Provider, "idp_down"),
        ("server_error", Kind::Provider, "idp_down"),
        ("invalid_scope", Kind::InvalidConfig, "idp_refused"),
        ("unauthorized_client", Kind::InvalidConfig, "idp_refused"),
        ("something_else", Kind::Denied, "idp_error"),
    ] {
        let query = format!("error={error}&error_description=because%0Aof&state=STATE&code=ignored");
        let fault = begun.back(&host, &query).unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (kind, code), "{error}");
        assert!(
            fault.message.contains("becauseof"),
            "control characters are gone: {}",
            fault.message
        );
    }
    assert!(
        host.requests().iter().all(|r| r.url != TOKEN),
        "a code beside an error is not used"
    );
}

#[test]
fn people_are_told_in_their_language() {
    let (host, begun) = waiting(&metadata());
    let query = format!("error=access_denied&state={}", begun.param("state").unwrap());
    let back = || Input::Http(HttpRequest::get(format!("/callback?{query}")));
    let text = |ctx: &Context| OAuth.resume(&host, ctx, &begun.state, back()).unwrap_err().user_message;
    assert_eq!(text(&context()).as_deref(), Some("You cancelled the sign-in."));
    assert_eq!(text(&zh()).as_deref(), Some("您取消了登录。"));
}

#[test]
fn the_platform_is_told_what_can_not_continue() {
    let host = host(config());
    let begun = Begun::on(&host);
    for input in [Input::Poll, Input::Fields(Vec::new())] {
        let fault = OAuth.resume(&host, &context(), &begun.state, input).unwrap_err();
        assert_eq!(fault.code, "input_unexpected");
    }
    let fault = OAuth.unsolicited(&host, &context(), Input::Poll).unwrap_err();
    assert_eq!(fault.kind, Kind::Unsupported);
}
