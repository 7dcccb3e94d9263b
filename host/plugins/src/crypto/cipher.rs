//! Authenticated encryption, RSA-OAEP, and the unpadded AES-CBC that WeCom's callbacks fixed.

use super::{Tried, bad_key, keys, sign, unsupported};
use aistack_domain::plugins::port::{Fault, FaultKind};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::{
    aead::{self, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::{self, DecryptionContext, EncryptionContext, UnboundCipherKey},
    iv::FixedLength,
    rsa::{
        OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey, OaepPublicEncryptingKey,
        PrivateDecryptingKey,
    },
};
use base64::Engine as _;

fn not_authentic() -> Fault {
    Fault::new(
        FaultKind::SignatureInvalid,
        "ciphertext_invalid",
        "the ciphertext does not verify",
    )
}

fn key_size() -> Fault {
    Fault::new(
        FaultKind::InvalidConfig,
        "secret_key_invalid",
        "the secret is not a key of the algorithm's size",
    )
}

fn aead_key(alg: &str, key: &[u8], nonce: &[u8]) -> Tried<(LessSafeKey, Nonce)> {
    let algorithm = match alg {
        "A256GCM" => &aead::AES_256_GCM,
        "A128GCM" => &aead::AES_128_GCM,
        other => return Err(unsupported(other)),
    };
    let nonce = Nonce::try_assume_unique_for_key(nonce)
        .map_err(|_| Fault::new(FaultKind::InvalidInput, "nonce_invalid", "the nonce has 12 bytes"))?;
    let key = UnboundKey::new(algorithm, key).map_err(|_| key_size())?;
    Ok((LessSafeKey::new(key), nonce))
}

pub(crate) fn open(alg: &str, key: &[u8], nonce: &[u8], aad: &[u8], mut ciphertext: Vec<u8>) -> Tried<Vec<u8>> {
    let (key, nonce) = aead_key(alg, key, nonce)?;
    let len = key
        .open_in_place(nonce, Aad::from(aad), &mut ciphertext)
        .map_err(|_| not_authentic())?
        .len();
    ciphertext.truncate(len);
    Ok(ciphertext)
}

pub(crate) fn seal(alg: &str, key: &[u8], nonce: &[u8], aad: &[u8], mut plaintext: Vec<u8>) -> Tried<Vec<u8>> {
    let (key, nonce) = aead_key(alg, key, nonce)?;
    key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut plaintext)
        .map_err(|_| bad_key("sealing failed"))?;
    Ok(plaintext)
}

fn oaep(alg: &str) -> Option<&'static OaepAlgorithm> {
    match alg {
        "RSA-OAEP" => Some(&OAEP_SHA1_MGF1SHA1),
        "RSA-OAEP-256" => Some(&OAEP_SHA256_MGF1SHA256),
        _ => None,
    }
}

pub(crate) fn decrypt(alg: &str, key: &[u8], ciphertext: &[u8]) -> Tried<Vec<u8>> {
    if let Some(oaep) = oaep(alg) {
        let pair = sign::rsa_pair(key)?;
        let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_| key_size())?;
        let key = PrivateDecryptingKey::from_pkcs8(der.as_ref())
            .map_err(|_| key_size())
            .and_then(|k| OaepPrivateDecryptingKey::new(k).map_err(|_| key_size()))?;
        let mut out = vec![0; key.min_output_size()];
        let len = key
            .decrypt(oaep, ciphertext, &mut out, None)
            .map_err(|_| not_authentic())?
            .len();
        out.truncate(len);
        return Ok(out);
    }
    if alg != "A256CBC" {
        return Err(unsupported(alg));
    }
    let Some((iv, blocks)) = ciphertext.split_first_chunk::<16>() else {
        return Err(whole_blocks());
    };
    if blocks.is_empty() || !blocks.len().is_multiple_of(16) {
        return Err(whole_blocks());
    }
    let key = cipher::DecryptingKey::cbc(cbc_key(key)?).map_err(|_| key_size())?;
    let mut out = blocks.to_vec();
    key.decrypt(&mut out, DecryptionContext::Iv128(FixedLength::from(*iv)))
        .map_err(|_| not_authentic())?;
    Ok(out)
}

pub(crate) fn encrypt(alg: &str, key: &[u8], iv: [u8; 16], plaintext: Vec<u8>) -> Tried<Vec<u8>> {
    if alg != "A256CBC" {
        return Err(unsupported(alg));
    }
    if plaintext.is_empty() || !plaintext.len().is_multiple_of(16) {
        return Err(whole_blocks());
    }
    let key = cipher::EncryptingKey::cbc(cbc_key(key)?).map_err(|_| key_size())?;
    let mut body = plaintext;
    key.less_safe_encrypt(&mut body, EncryptionContext::Iv128(FixedLength::from(iv)))
        .map_err(|_| bad_key("encrypting failed"))?;
    Ok([&iv[..], &body].concat())
}

fn whole_blocks() -> Fault {
    Fault::new(
        FaultKind::InvalidInput,
        "blocks_invalid",
        "AES-CBC needs whole blocks of 16 bytes",
    )
}

/// 32 bytes as they are, or as base64: WeCom's EncodingAESKey is 43 characters without padding, whose last one may
/// carry stray bits.
fn cbc_key(key: &[u8]) -> Tried<UnboundCipherKey> {
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    let lenient = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let decoded = if key.len() == 32 {
        None
    } else {
        lenient.decode(key).ok()
    };
    UnboundCipherKey::new(&cipher::AES_256, decoded.as_deref().unwrap_or(key)).map_err(|_| key_size())
}

pub(crate) fn encrypt_to(alg: &str, public_key: &[u8], plaintext: &[u8]) -> Tried<Vec<u8>> {
    let algorithm = oaep(alg).ok_or_else(|| unsupported(alg))?;
    let key = OaepPublicEncryptingKey::new(keys::encrypting(alg, public_key)?)
        .map_err(|_| bad_key("not a usable RSA key"))?;
    if plaintext.len() > key.max_plaintext_size(algorithm) {
        return Err(Fault::new(
            FaultKind::InvalidInput,
            "plaintext_too_long",
            "too long for the key",
        ));
    }
    let mut out = vec![0; key.ciphertext_size()];
    let len = key
        .encrypt(algorithm, plaintext, &mut out, None)
        .map_err(|_| bad_key("encrypting failed"))?
        .len();
    out.truncate(len);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

    #[test]
    fn aead_opens_what_was_sealed_and_nothing_else() {
        let key = b"0123456789abcdef0123456789abcdef";
        let sealed = seal("A256GCM", key, b"123456789012", b"aad", b"hello".to_vec()).unwrap();
        assert_eq!(
            open("A256GCM", key, b"123456789012", b"aad", sealed.clone()).unwrap(),
            b"hello"
        );
        assert_eq!(
            open("A256GCM", key, b"123456789012", b"axd", sealed.clone())
                .unwrap_err()
                .code,
            "ciphertext_invalid"
        );
        assert_eq!(
            open("A256GCM", key, b"12", b"aad", sealed.clone()).unwrap_err().code,
            "nonce_invalid"
        );
        assert_eq!(
            open("A256GCM", b"short", b"123456789012", b"", sealed.clone())
                .unwrap_err()
                .code,
            "secret_key_invalid"
        );
        assert_eq!(
            open("SM4-GCM", key, b"123456789012", b"", sealed).unwrap_err().code,
            "unsupported_algorithm"
        );
    }

    #[test]
    fn cbc_takes_raw_and_encoded_keys() {
        let raw = [7u8; 32];
        let encoded = STANDARD_NO_PAD.encode(raw);
        assert_eq!(encoded.len(), 43);
        let sealed = encrypt("A256CBC", &raw, [1; 16], vec![9; 32]).unwrap();
        assert_eq!(decrypt("A256CBC", encoded.as_bytes(), &sealed).unwrap(), vec![9; 32]);
        assert_eq!(
            decrypt("A256CBC", &raw, &sealed[..20]).unwrap_err().code,
            "blocks_invalid"
        );
        assert_eq!(
            decrypt("A256CBC", b"short", &sealed).unwrap_err().code,
            "secret_key_invalid"
        );
    }

    #[test]
    fn oaep_round_trips() {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(der.as_ref())
        );
        let spki = AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(
            aws_lc_rs::signature::KeyPair::public_key(&pair),
        )
        .unwrap();
        for alg in ["RSA-OAEP", "RSA-OAEP-256"] {
            let sealed = encrypt_to(alg, spki.as_ref(), b"key").unwrap();
            assert_eq!(decrypt(alg, pem.as_bytes(), &sealed).unwrap(), b"key", "{alg}");
        }
        assert_eq!(
            decrypt("RSA-OAEP", pem.as_bytes(), &[0; 256]).unwrap_err().code,
            "ciphertext_invalid"
        );
        assert_eq!(
            encrypt_to("RSA1_5", spki.as_ref(), b"").unwrap_err().code,
            "unsupported_algorithm"
        );
        assert_eq!(
            encrypt_to("RSA-OAEP", spki.as_ref(), &[0; 250]).unwrap_err().code,
            "plaintext_too_long"
        );
    }
}
