//! The signature section: where it stands, what it says. Verifying and trusting is the domain's.

use aistack_domain::plugins::port::{Refusal, SIGNATURE_SECTION, SignatureBlock};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;

/// Most signatures of one component.
const MAX_BLOCKS: usize = 16;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    publisher: String,
    key_id: String,
    alg: String,
    sig: String,
}

fn bad(what: impl Into<String>) -> Refusal {
    Refusal::Signatures(what.into())
}

/// The signatures of a component that was found valid, and the length of what they sign.
pub(super) fn read(component: &[u8]) -> Result<(Vec<SignatureBlock>, usize), Refusal> {
    let mut found: Option<(Vec<SignatureBlock>, usize)> = None;
    // After the magic number and the version there are sections: an id, a length, that many bytes.
    let mut at = 8;
    while at < component.len() {
        if found.is_some() {
            return Err(bad("something follows the signature section, which must be the last"));
        }
        let custom = component[at] == 0;
        let (size, contents) = leb(component, at + 1)?;
        let end = contents.checked_add(size).filter(|end| *end <= component.len());
        let end = end.ok_or_else(|| bad("a section is cut short"))?;
        if custom {
            let (length, name) = leb(component, contents)?;
            let data = name.checked_add(length).filter(|data| *data <= end);
            let data = data.ok_or_else(|| bad("a section's name is cut short"))?;
            if &component[name..data] == SIGNATURE_SECTION.as_bytes() {
                found = Some((blocks(&component[data..end])?, at));
            }
        }
        at = end;
    }
    Ok(found.unwrap_or((Vec::new(), component.len())))
}

/// A length as WebAssembly writes it, and where what follows it starts.
fn leb(bytes: &[u8], mut at: usize) -> Result<(usize, usize), Refusal> {
    let mut value = 0usize;
    for shift in (0..35).step_by(7) {
        let byte = *bytes.get(at).ok_or_else(|| bad("a length is cut short"))?;
        at += 1;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok((value, at));
        }
    }
    Err(bad("a length has too many bytes"))
}

fn blocks(json: &[u8]) -> Result<Vec<SignatureBlock>, Refusal> {
    let blocks: Vec<Block> =
        serde_json::from_slice(json).map_err(|e| bad(format!("not the JSON it should be ({e})")))?;
    if blocks.len() > MAX_BLOCKS {
        return Err(bad(format!("more than {MAX_BLOCKS}")));
    }
    let decoded = |b: Block| {
        Ok(SignatureBlock {
            signature: STANDARD
                .decode(&b.sig)
                .map_err(|_| bad(format!("the signature of {:?} is not base64", b.publisher)))?,
            publisher: b.publisher,
            key_id: b.key_id,
            alg: b.alg,
        })
    };
    blocks.into_iter().map(decoded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"[{"publisher":"acme","key_id":"00ff","alg":"Ed25519","sig":"AQID"}]"#;

    /// A custom section; `padded` writes its length in five bytes, as linkers do.
    fn section(name: &str, data: &str, padded: bool) -> Vec<u8> {
        let size = u8::try_from(1 + name.len() + data.len()).unwrap();
        let mut s = vec![0];
        match padded {
            true => s.extend([size | 0x80, 0x80, 0x80, 0x80, 0]),
            false if size < 128 => s.push(size),
            false => s.extend([size | 0x80, 1]),
        }
        s.push(u8::try_from(name.len()).unwrap());
        s.extend(name.bytes().chain(data.bytes()));
        s
    }
    fn component(sections: &[Vec<u8>]) -> Vec<u8> {
        [b"\0asm\x0d\0\x01\0".to_vec(), sections.concat()].concat()
    }

    #[test]
    fn the_last_section_is_read_and_cut_off() {
        let unsigned = component(&[section("producers", "x", true)]);
        assert_eq!(read(&unsigned).unwrap(), (vec![], unsigned.len()));
        for padded in [false, true] {
            let signed = [unsigned.clone(), section(SIGNATURE_SECTION, ONE, padded)].concat();
            let (blocks, payload) = read(&signed).unwrap();
            assert_eq!(&signed[..payload], unsigned, "padded: {padded}");
            assert_eq!(
                (blocks[0].publisher.as_str(), blocks[0].signature.as_slice()),
                ("acme", &[1, 2, 3][..])
            );
        }
    }

    #[test]
    fn anything_behind_it_and_anything_malformed_is_refused() {
        let signatures = || section(SIGNATURE_SECTION, ONE, false);
        assert!(read(&component(&[signatures(), section("x", "", false)])).is_err());
        assert!(read(&component(&[signatures(), signatures()])).is_err());
        for bad in [
            "{}",
            "[{}]",
            r#"[{"publisher":"a","key_id":"b","alg":"c","sig":"*"}]"#,
            r#"[{"publisher":"a","key_id":"b","alg":"c","sig":"","more":1}]"#,
        ] {
            assert!(
                read(&component(&[section(SIGNATURE_SECTION, bad, false)])).is_err(),
                "{bad}"
            );
        }
        for cut in [&[0u8][..], &[0, 0x80], &[0, 5, 9], &[0, 0xff, 0xff, 0xff, 0xff, 0xff]] {
            assert!(read(&component(&[cut.to_vec()])).is_err(), "{cut:?}");
        }
    }
}
