//! A payment plugin's ordinary work, shared by the component and by the bench that runs it natively: two JSON documents
//! read, one written, a signature over it, an address.

use serde_json::{Value, json};

/// What such a plugin does for one payment. `sign` is the host's MAC.
pub fn create_payment<E>(
    config: &str,
    payload: &str,
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
) -> Result<String, E> {
    let config: Value = serde_json::from_str(config).unwrap_or_default();
    let payload: Value = serde_json::from_str(payload).unwrap_or_default();
    let text = |v: &Value, key: &str| v[key].as_str().unwrap_or_default().to_owned();
    let items = payload["items"].as_array().map_or(&[][..], Vec::as_slice);
    let total: i64 = items
        .iter()
        .map(|i| i["price"].as_i64().unwrap_or(0) * i["quantity"].as_i64().unwrap_or(0))
        .sum();
    let body = json!({
        "merchant": text(&config, "merchant"),
        "order": text(&payload, "order"),
        "amount": { "minor": total, "currency": text(&payload, "currency") },
        "lines": items.iter().map(|i| text(i, "name")).collect::<Vec<_>>(),
        "notify": text(&config, "notify"),
    })
    .to_string();
    let tag = sign(body.as_bytes())?;
    let mut url = text(&config, "gateway");
    url.push_str("/pay?order=");
    url.push_str(&text(&payload, "order"));
    url.push_str("&sign=");
    for byte in tag {
        for digit in [byte >> 4, byte & 15] {
            url.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
        }
    }
    Ok(url)
}
