//! `download`, and what the host says of a charge that was cut off.

use crate::{harness::*, peer::*};
use aistack_core::{Currency, Money};
use aistack_domain::plugins::port::*;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::{io::Write, time::Duration};

pub(crate) fn answer(status: &str, body: &[u8]) -> Vec<u8> {
    [
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(),
        body,
    ]
    .concat()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut e = GzEncoder::new(Vec::new(), Compression::best());
    e.write_all(bytes).unwrap();
    e.finish().unwrap()
}

pub(crate) async fn create(
    b: &Bench,
    peer: &Peer,
    extra: Value,
    change: impl FnOnce(&mut Invocation),
) -> Result<Payment, Fault> {
    let digest = b.admit("payment").await;
    let mut inv = b.invocation(&digest);
    inv.powers = powers(Grants {
        private_hosts: vec![peer.host()],
        ..all_grants()
    });
    change(&mut inv);
    let order = PaymentOrder {
        id: "ord_1".to_owned(),
        amount: Money::new(1, Currency::CNY),
        description: String::new(),
        method: String::new(),
        payer: Value::Null,
        capture: true,
        return_url: String::new(),
        notify_url: String::new(),
        expires_ms: None,
        idempotency_key: String::new(),
        metadata: vec![],
        extra,
    };
    b.host.payment().create(inv, order).await
}

#[tokio::test]
async fn bills_are_unpacked_decoded_and_capped() {
    let gbk = encoding_rs::GBK.encode("交易时间").0.into_owned();
    let peer = Peer::with(vec![
        ("/bill.csv.gz".to_owned(), answer("200 OK", &gzip(&gbk))),
        ("/bomb".to_owned(), answer("200 OK", &gzip(&vec![0; 4 << 20]))),
        ("/gone".to_owned(), answer("404 Not Found", b"no")),
    ])
    .await;
    let b = Bench::new();
    let fetch = |path: &str, more: Value| {
        let mut what = json!({ "do": "fetch", "url": peer.url(path), "unpack": "gzip", "charset": "gbk" });
        what.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        what
    };
    let got = create(&b, &peer, fetch("/bill.csv.gz", json!({})), |_| {})
        .await
        .unwrap()
        .raw;
    assert_eq!(
        got,
        json!({ "name": "bill.csv.gz", "size": 12, "head": "交易时间", "beyond": 0, "digest": 20 })
    );
    for (what, code) in [
        (fetch("/bomb", json!({ "charset": null })), "response_too_large"),
        (fetch("/bill.csv.gz", json!({ "max": 8 })), "response_too_large"),
        (fetch("/bill.csv.gz", json!({ "unpack": "zip" })), "unsupported_packing"),
        (
            fetch("/bill.csv.gz", json!({ "charset": "klingon" })),
            "unsupported_charset",
        ),
        (fetch("/gone", json!({})), "http_404"),
        (
            json!({ "do": "fetch", "url": "http://127.0.0.1:1/" }),
            "host_not_granted",
        ),
    ] {
        assert_eq!(
            create(&b, &peer, what.clone(), |_| {}).await.unwrap_err().code,
            code,
            "{what}"
        );
    }
}

#[tokio::test]
async fn a_charge_that_is_cut_off_has_an_unknown_outcome() {
    let peer = Peer::new(&[]).await;
    let b = Bench::new();
    let what = json!({ "do": "charge-and-spin", "url": peer.url("/charge") });
    let fault = create(&b, &peer, what, |inv| inv.limits.cpu = Duration::from_millis(100))
        .await
        .unwrap_err();
    assert_eq!(fault.code, "cpu_time_exceeded");
    assert!(fault.outcome_unknown, "the request was sent");
    assert_eq!(peer.requests().len(), 1);
}
