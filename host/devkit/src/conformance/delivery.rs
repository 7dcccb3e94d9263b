//! Makes the delivery that the fixtures describe: fills in times and the order, and signs.

use super::{
    Suite, Trouble,
    fixtures::{Delivery, Sign},
};
use aistack_domain::plugins::port::PaymentOrder;
use aws_lc_rs::{hmac, rand::SystemRandom, signature};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

fn wrong(what: impl std::fmt::Display) -> Trouble {
    Trouble::Failed(format!("[delivery] of the fixtures: {what}"))
}

/// The request, as `inbound.handle` takes it.
pub(super) fn make(s: &Suite, d: &Delivery, order: &PaymentOrder) -> Result<Value, Trouble> {
    let now = s.runner.clock().now();
    let fill = |text: &str| {
        [
            ("${now_s}", now.as_secs().to_string()),
            ("${now_ms}", now.as_millis().to_string()),
            ("${order.id}", order.id.clone()),
            ("${order.minor}", order.amount.minor.to_string()),
            ("${order.currency}", order.amount.currency.to_string()),
        ]
        .into_iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(name, &value))
    };
    let body = fill(&d.body);
    let signature = match &d.sign {
        None => String::new(),
        Some(sign) => signed(s, sign, fill(&sign.over).replace("${body}", &body).as_bytes())?,
    };
    let headers: serde_json::Map<String, Value> = d
        .headers
        .iter()
        .map(|(k, v)| {
            (
                k.to_ascii_lowercase(),
                fill(v).replace("${signature}", &signature).into(),
            )
        })
        .collect();
    let body = body.replace("${signature}", &signature);
    Ok(
        json!({ "method": d.method, "url": fill(&d.url).replace("${signature}", &signature), "headers": headers, "body": body }),
    )
}

fn signed(s: &Suite, sign: &Sign, message: &[u8]) -> Result<String, Trouble> {
    let bytes = match (&sign.secret, &sign.key_file) {
        (Some(name), None) => {
            let secret = s
                .settings
                .secrets
                .get(name)
                .ok_or_else(|| wrong(format!("there is no secret {name:?}")))?;
            let versions = secret.versions(&s.dir)?;
            let key = versions
                .first()
                .ok_or_else(|| wrong(format!("secret {name:?} has no version")))?;
            let alg = match sign.alg.as_str() {
                "HS1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                "HS256" => hmac::HMAC_SHA256,
                "HS384" => hmac::HMAC_SHA384,
                "HS512" => hmac::HMAC_SHA512,
                other => return Err(wrong(format!("{other:?} is no MAC: HS1, HS256, HS384 or HS512"))),
            };
            hmac::sign(&hmac::Key::new(alg, key.expose_secret()), message)
                .as_ref()
                .to_vec()
        }
        (None, Some(file)) => {
            let pem = crate::project::read(&s.dir.join(file))?;
            let der = crate::sign::pem(&pem).ok_or_else(|| wrong("the key file is no PEM"))?;
            asymmetric(&sign.alg, &der, message)?
        }
        _ => return Err(wrong("sign takes either secret or key-file")),
    };
    match sign.encoding.as_str() {
        "hex" => Ok(hex::encode(bytes)),
        "base64" => Ok(STANDARD.encode(bytes)),
        other => Err(wrong(format!("{other:?} is no encoding: hex or base64"))),
    }
}

fn asymmetric(alg: &str, der: &[u8], message: &[u8]) -> Result<Vec<u8>, Trouble> {
    match alg {
        "RS256" => {
            let key = signature::RsaKeyPair::from_pkcs8(der).map_err(wrong)?;
            let mut out = vec![0; key.public_modulus_len()];
            key.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut out)
                .map_err(wrong)?;
            Ok(out)
        }
        "Ed25519" => {
            let key = signature::Ed25519KeyPair::from_pkcs8(der).map_err(wrong)?;
            Ok(key.sign(message).as_ref().to_vec())
        }
        other => Err(wrong(format!("{other:?} is no signature: RS256 or Ed25519"))),
    }
}
