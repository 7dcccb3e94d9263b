//! The token endpoint, the ID token in all its right and wrong forms, and the user information.

use super::device::GRANT;
use super::{Grant, Oidc, b64, error};
use crate::material::people::{self, PEOPLE};
use crate::shell::faults::Armed;
use crate::wire::{Call, Fields, Reply};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a code is good.
const CODE: Duration = Duration::from_mins(1);
/// How long an access token is good, in seconds.
const ACCESS_S: i64 = 3600;

impl Oidc {
    pub(super) fn token(&self, call: &Call, armed: &Armed) -> Reply {
        let form = call.form();
        if let Err(reply) = self.authenticate(call, &form) {
            return reply;
        }
        let answer = match form.get("grant_type") {
            "authorization_code" => self.redeem(call, &form),
            "refresh_token" => {
                let grant = self.state().refresh.remove(form.get("refresh_token"));
                grant.ok_or_else(|| error(400, "invalid_grant", "the refresh token is unknown or was used"))
            }
            GRANT => self.poll_device(call, form.get("device_code")),
            _ => Err(error(400, "unsupported_grant_type", "not one of those in the metadata")),
        };
        match answer {
            Ok(grant) => self.issue(call, &form, grant, armed).charging(),
            Err(reply) => reply,
        }
    }

    /// The client proves itself by header or form, not by both (RFC 6749 §2.3).
    pub(super) fn authenticate(&self, call: &Call, form: &Fields) -> Result<(), Reply> {
        let refused = |why| error(401, "invalid_client", why).with("www-authenticate", "Basic realm=\"sim\"");
        let decoded = |text: &str| Fields::parse(format!("x={text}").as_bytes()).get("x").to_owned();
        let basic = call.header("authorization").strip_prefix("Basic ").map(|text| {
            let text = STANDARD
                .decode(text)
                .ok()
                .and_then(|b| String::from_utf8(b).ok())
                .unwrap_or_default();
            let (id, secret) = text.split_once(':').map_or(("", ""), |pair| pair);
            (decoded(id), decoded(secret))
        });
        let (id, secret) = match (basic, form.some("client_secret")) {
            (Some(_), Some(_)) => return Err(error(400, "invalid_request", "client credentials in header and form")),
            (Some(pair), None) => pair,
            (None, Some(secret)) => (form.get("client_id").to_owned(), secret.to_owned()),
            (None, None) => return Err(refused("no client credentials")),
        };
        if id != self.client_id || secret != self.client_secret {
            return Err(refused("client id or secret is wrong"));
        }
        Ok(())
    }

    fn redeem(&self, call: &Call, form: &Fields) -> Result<Grant, Reply> {
        let refused = |why| error(400, "invalid_grant", why);
        let code = form.get("code");
        let mut state = self.state();
        if let Some(access) = state.redeemed.get(code).cloned() {
            // Somebody has the code twice, so nobody keeps what it gave (RFC 6749 §4.1.2).
            state.access.remove(&access);
            return Err(refused("the code was used before"));
        }
        // Wrong or right, a code is presented once.
        let grant = state.codes.remove(code).ok_or_else(|| refused("the code is unknown"))?;
        if call.at.since(grant.at) > CODE {
            return Err(refused("the code is too old"));
        }
        if grant.redirect_uri != form.get("redirect_uri") {
            return Err(refused("redirect_uri is not the one of the authorization request"));
        }
        match (&grant.challenge, form.some("code_verifier")) {
            (None, None) => Ok(grant),
            (Some(challenge), Some(verifier)) if *challenge == b64(digest(&SHA256, verifier.as_bytes()).as_ref()) => {
                Ok(grant)
            }
            _ => Err(refused("the PKCE verifier does not fit the challenge")),
        }
    }

    fn issue(&self, call: &Call, form: &Fields, grant: Grant, armed: &Armed) -> Reply {
        let access = self.fresh(40);
        let id_token = self.id_token(call, &grant, &access, armed);
        let mut answer = json!({"access_token": access, "token_type": "Bearer", "expires_in": ACCESS_S,
            "scope": grant.scope, "id_token": id_token});
        let mut state = self.state();
        let code = form.get("code");
        if !code.is_empty() {
            state.redeemed.insert(code.to_owned(), access.clone());
        }
        if grant.scope.split(' ').any(|s| s == "offline_access") {
            let refresh = self.fresh(40);
            answer["refresh_token"] = json!(refresh);
            state.refresh.insert(refresh, grant.clone());
        }
        state.access.insert(access, Grant { at: call.at, ..grant });
        Reply::json(200, &answer)
    }

    fn id_token(&self, call: &Call, grant: &Grant, access: &str, armed: &Armed) -> String {
        let person = people::find(grant.person).unwrap_or(&PEOPLE[0]);
        let now = call.at.as_secs();
        let mut claims = person.claims_of(&grant.scope);
        claims["iss"] = json!(self.base.url);
        claims["aud"] = json!(self.client_id);
        claims["iat"] = json!(now);
        claims["exp"] = json!(now + 600);
        claims["auth_time"] = json!(grant.at.as_secs());
        claims["sid"] = json!(grant.session);
        claims["amr"] = json!(["pwd"]);
        let of = if armed.on("wrong_at_hash") {
            "another access token"
        } else {
            access
        };
        claims["at_hash"] = json!(b64(&digest(&SHA256, of.as_bytes()).as_ref()[..16]));
        if let Some(nonce) = &grant.nonce {
            claims["nonce"] = json!(nonce);
        }
        if let Some(acr) = &grant.acr {
            claims["acr"] = json!(acr);
        }
        if armed.on("bad_nonce") {
            claims["nonce"] = json!(self.fresh(22));
        }
        if armed.on("wrong_audience") {
            claims["aud"] = json!("another-client");
        }
        if armed.on("wrong_issuer") {
            claims["iss"] = json!("https://somebody-else.example");
        }
        if armed.on("stale") {
            claims["iat"] = json!(now - 7200);
            claims["exp"] = json!(now - 3600);
        }
        self.sign("JWT", &claims, armed)
    }

    /// A compact JWS, signed as it should be unless a knob says otherwise.
    pub(super) fn sign(&self, kind: &str, claims: &Value, armed: &Armed) -> String {
        let Some(key) = self.state().keys.last().cloned() else {
            return String::new();
        };
        let none = armed.on("alg_none");
        let confused = !none && armed.on("alg_confusion");
        let alg = if none {
            "none"
        } else if confused {
            "HS256"
        } else {
            "RS256"
        };
        let header = json!({"alg": alg, "typ": kind, "kid": key.id});
        let signed = format!(
            "{}.{}",
            b64(header.to_string().as_bytes()),
            b64(claims.to_string().as_bytes())
        );
        let mut signature = if none {
            Vec::new()
        } else if confused {
            let public = hmac::Key::new(hmac::HMAC_SHA256, key.key.public_pem().as_bytes());
            hmac::sign(&public, signed.as_bytes()).as_ref().to_vec()
        } else {
            key.key.sign(signed.as_bytes())
        };
        if armed.on("bad_signature")
            && let Some(byte) = signature.get_mut(20)
        {
            *byte ^= 1;
        }
        format!("{signed}.{}", b64(&signature))
    }

    pub(super) fn userinfo(&self, call: &Call, armed: &Armed) -> Reply {
        let token = call.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
        let grant = self.state().access.get(token).cloned();
        let grant = grant.filter(|g| call.at.since(g.at) < Duration::from_secs(ACCESS_S.unsigned_abs()));
        let Some(grant) = grant else {
            let challenge = "Bearer error=\"invalid_token\"";
            return error(401, "invalid_token", "unknown or expired").with("www-authenticate", challenge);
        };
        let person = people::find(grant.person).unwrap_or(&PEOPLE[0]);
        let mut claims = person.claims_of(&grant.scope);
        if armed.on("wrong_userinfo") {
            claims["sub"] = json!("sim-9999");
        }
        Reply::json(200, &claims)
    }
}
