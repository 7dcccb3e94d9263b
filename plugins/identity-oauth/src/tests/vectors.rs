//! Published vectors: RFC 7636 (PKCE), OpenID Connect Core (hashes of tokens and codes), RFC 7515 and RFC 8037
//! (signatures).

use super::*;
use crate::token::jose;

/// RFC 7636, appendix B.
#[test]
fn pkce_challenge() {
    let pending = crate::flow::authorize::Pending {
        verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into(),
        state: String::new(),
        nonce: String::new(),
        redirect_uri: String::new(),
        issuer: String::new(),
        client_id: String::new(),
        max_age: None,
    };
    assert_eq!(
        pending.challenge(&FakeHost::new()).unwrap(),
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    );
}

/// OpenID Connect Core 1.0, appendices A.3, A.4 and A.6.
#[test]
fn left_half_hashes() {
    let hash = |text: &str| jose::half_hash(&FakeHost::new(), "RS256", text).unwrap();
    assert_eq!(
        hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
        "77QmUPtjPfzWtF2AnpK9RQ"
    );
    assert_eq!(
        hash("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk"),
        "LDktKdoQak3Pk0cnXxCltA"
    );
}

const CLAIMS: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

/// RFC 7515, appendices A.2 (RS256) and A.3 (ES256), through the same parser as ID tokens.
#[test]
fn jws_examples() {
    let rsa = json!({"kty": "RSA", "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"});
    let rsa_signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    let ec = json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
    let ec_signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let host = FakeHost::new();
    for (header, signature, jwk) in [
        ("eyJhbGciOiJSUzI1NiJ9", rsa_signature, rsa),
        ("eyJhbGciOiJFUzI1NiJ9", ec_signature, ec),
    ] {
        let text = format!("{header}.{CLAIMS}.{signature}");
        let token = jose::Token::parse(&text, &jose::ALGORITHMS).unwrap();
        assert_eq!(token.claims["iss"], "joe");
        assert!(jose::fits(&jwk, token.alg));
        assert!(token.verify(&host, &jwk).unwrap(), "{}", token.alg);
        let other = format!("{header}.{}.{signature}", CLAIMS.replacen("Jqb2Ui", "JldmUi", 1));
        let token = jose::Token::parse(&other, &jose::ALGORITHMS).unwrap();
        assert_eq!(token.claims["iss"], "eve");
        assert!(!token.verify(&host, &jwk).unwrap(), "{} over other claims", token.alg);
    }
}

/// RFC 8037, appendix A.4. Its payload is no JSON, so the host is asked directly.
#[test]
fn ed25519_example() {
    use base64::Engine as _;
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let signature = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(signature)
        .unwrap();
    let verify =
        |signed: &str| FakeHost::new().verify("EdDSA", jwk.to_string().as_bytes(), signed.as_bytes(), &signature);
    assert_eq!(verify(signed), Ok(true));
    assert_eq!(verify(&signed.replace("RXh", "RXg")), Ok(false));
}

/// RFC 7515, appendix A.1: a MAC. Never accepted, whatever key there is.
#[test]
fn macs_and_unsecured_tokens_are_not_signatures() {
    let hs256 = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let none = format!("eyJhbGciOiJub25lIn0.{CLAIMS}.");
    for text in [hs256, &none] {
        assert_eq!(
            jose::Token::parse(text, &jose::ALGORITHMS).unwrap_err().code,
            "id_token_algorithm"
        );
    }
}
