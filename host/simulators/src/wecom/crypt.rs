//! The official algorithm of callbacks: SHA-1 over the sorted parts, AES-256-CBC with padding to blocks of 32.

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::iv::FixedLength;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// WeCom's padding; AES itself has blocks of 16.
const BLOCK: usize = 32;

/// What both sides of a callback know.
#[derive(Clone)]
pub(super) struct Callback {
    token: String,
    key: [u8; 32],
}

impl Callback {
    /// Nothing when the key is not one.
    pub(super) fn new(token: &str, encoding_aes_key: &str) -> Option<Self> {
        // The 43rd character has two bits too many, which need not be zero.
        let lenient = GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let key = GeneralPurpose::new(&alphabet::STANDARD, lenient)
            .decode(encoding_aes_key)
            .ok()?;
        Some(Self {
            token: token.to_owned(),
            key: key.try_into().ok()?,
        })
    }

    /// Hex of SHA-1 over token, time stamp, nonce and sealed text, sorted.
    pub(super) fn signature(&self, timestamp: &str, nonce: &str, sealed: &str) -> String {
        let mut parts = [&self.token, timestamp, nonce, sealed];
        parts.sort_unstable();
        hex::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, parts.concat().as_bytes()))
    }

    /// Random bytes, length, message, receiver; padded, encrypted, in base64.
    pub(super) fn seal(&self, random: &[u8; 16], message: &[u8], receiver: &str) -> String {
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
        let mut plain = [&random[..], &length, message, receiver.as_bytes()].concat();
        let pad = BLOCK - plain.len() % BLOCK;
        plain.extend(std::iter::repeat_n(pad.to_le_bytes()[0], pad));
        let whole = plain.len();
        let mut iv = [0; 16];
        iv.copy_from_slice(&self.key[..16]);
        let key = UnboundCipherKey::new(&AES_256, &self.key).expect("the key has 32 bytes");
        PaddedBlockEncryptingKey::cbc_pkcs7(key)
            .and_then(|key| key.less_safe_encrypt(&mut plain, EncryptionContext::Iv128(FixedLength::from(iv))))
            .expect("AES-CBC takes any length");
        // The library pads too: a block of its own, since the text fills its blocks already.
        plain.truncate(whole);
        STANDARD.encode(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::cipher::{DecryptionContext, PaddedBlockDecryptingKey};

    const KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
    const ECHO: &str = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==";

    #[test]
    fn the_published_example_comes_out_byte_for_byte() {
        let callback = Callback::new("QDG6eK", KEY).unwrap();
        let signature = callback.signature("1409659589", "263014780", ECHO);
        assert_eq!(signature, "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3");
        // Opening: the library wants its padding, so a block that decrypts to it is put behind.
        let mut sealed = STANDARD.decode(ECHO).unwrap();
        let last: [u8; 16] = sealed[sealed.len() - 16..].try_into().unwrap();
        let key = || UnboundCipherKey::new(&AES_256, &callback.key).unwrap();
        let mut padding = Vec::new();
        let iv = |iv: [u8; 16]| FixedLength::from(iv);
        let encrypting = PaddedBlockEncryptingKey::cbc_pkcs7(key()).unwrap();
        encrypting
            .less_safe_encrypt(&mut padding, EncryptionContext::Iv128(iv(last)))
            .unwrap();
        sealed.extend(padding);
        let first: [u8; 16] = callback.key[..16].try_into().unwrap();
        let decrypting = PaddedBlockDecryptingKey::cbc_pkcs7(key()).unwrap();
        let plain = decrypting
            .decrypt(&mut sealed, DecryptionContext::Iv128(iv(first)))
            .unwrap();
        let random: [u8; 16] = plain[..16].try_into().unwrap();
        assert_eq!(&plain[20..39], b"1616140317555161061");
        assert_eq!(
            callback.seal(&random, b"1616140317555161061", "wx5823bf96d3bd56c7"),
            ECHO
        );
    }
}
