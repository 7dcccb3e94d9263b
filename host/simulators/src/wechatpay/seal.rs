//! Checking the merchant's signature, and sealing resources with the APIv3 key.

use super::WechatPay;
use super::orders::Failure;
use crate::shell::faults::Armed;
use crate::wire::Call;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Largest difference between the request's time stamp and our clock, in seconds.
const SKEW_S: i64 = 300;
const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048 ";

pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

impl WechatPay {
    /// Whether the request is the merchant's: `Authorization` over method, path, time stamp, nonce and body.
    pub(super) fn admit(&self, call: &Call) -> Result<(), Failure> {
        let refused = |why| Err(Failure(401, "SIGN_ERROR", why));
        if call.header("accept").is_empty() || call.header("user-agent").is_empty() {
            return Err(Failure(
                400,
                "PARAM_ERROR",
                "the headers Accept and User-Agent are required",
            ));
        }
        let Some(parameters) = call.header("authorization").strip_prefix(SCHEME) else {
            return refused("Authorization is not of the scheme WECHATPAY2-SHA256-RSA2048");
        };
        let get = |name: &str| {
            let pairs = parameters.split(',').filter_map(|p| p.trim().split_once('='));
            let value = pairs
                .filter(|(n, _)| *n == name)
                .map(|(_, v)| v.trim_matches('"'))
                .next();
            value.unwrap_or_default()
        };
        if get("mchid") != self.mchid {
            return refused("mchid is not the one of this simulator");
        }
        if !get("serial_no").eq_ignore_ascii_case(&self.merchant.serial) {
            return refused("serial_no is not the merchant certificate's");
        }
        let at = get("timestamp");
        if at
            .parse::<i64>()
            .map_or(true, |at| (at - call.at.as_secs()).abs() > SKEW_S)
        {
            return refused("timestamp is not within five minutes");
        }
        let body = String::from_utf8_lossy(&call.body);
        let message = format!(
            "{}\n{}\n{at}\n{}\n{body}\n",
            call.method,
            call.target(),
            get("nonce_str")
        );
        let signature = STANDARD.decode(get("signature")).unwrap_or_default();
        if !self.merchant.key.verify(message.as_bytes(), &signature) {
            return refused("the signature does not fit the merchant's certificate");
        }
        Ok(())
    }

    /// Seals with the APIv3 key.
    pub(super) fn seal(&self, plain: &[u8], associated: &str, armed: &Armed) -> Value {
        let nonce = self.fresh(12);
        let mut bytes = [0_u8; 12];
        bytes.copy_from_slice(nonce.as_bytes());
        let mut sealed = plain.to_vec();
        let key = UnboundKey::new(&AES_256_GCM, self.v3_key.as_bytes()).expect("the key has 32 bytes");
        LessSafeKey::new(key)
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(bytes),
                Aad::from(associated.as_bytes()),
                &mut sealed,
            )
            .expect("a resource is far smaller than what AES-GCM can seal");
        if armed.on("bad_ciphertext") {
            sealed[0] ^= 1;
        }
        json!({"algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": associated, "ciphertext": base64(&sealed)})
    }
}
