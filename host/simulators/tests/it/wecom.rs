//! WeCom: tokens, sign-in, directory; callbacks opened with the crate aes and judged by SHA-1 of the crate sha1.

use crate::support::{Bench, Hook};
use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::{BlockDecrypt as _, KeyInit as _};
use base64::Engine as _;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Value, json};
use sha1::Digest as _;

async fn token(bench: &Bench) -> Value {
    let query = format!(
        "/cgi-bin/gettoken?corpid={}&corpsecret={}",
        bench.config("corpid"),
        bench.secret("corpsecret")
    );
    bench.get(&query).await
}

async fn api(bench: &Bench, path: &str, more: &str) -> Value {
    let token = token(bench).await["access_token"].as_str().unwrap().to_owned();
    bench.get(&format!("/cgi-bin/{path}?access_token={token}{more}")).await
}

/// CBC by its definition: decrypt each block, add the one before it.
fn open(bench: &Bench, sealed: &str) -> (String, String) {
    let lenient = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent);
    let key = GeneralPurpose::new(&base64::alphabet::STANDARD, lenient)
        .decode(bench.secret("encoding_aes_key"))
        .unwrap();
    let cipher = Aes256::new_from_slice(&key).unwrap();
    let sealed = base64::engine::general_purpose::STANDARD.decode(sealed).unwrap();
    let mut before = key[..16].to_vec();
    let mut plain = Vec::new();
    for block in sealed.chunks(16) {
        let mut out = *aes_gcm::aes::Block::from_slice(block);
        cipher.decrypt_block(&mut out);
        plain.extend(out.iter().zip(&before).map(|(a, b)| a ^ b));
        before = block.to_vec();
    }
    let pad = usize::from(*plain.last().unwrap());
    assert!((1..=32).contains(&pad) && plain.len().is_multiple_of(32));
    plain.truncate(plain.len() - pad);
    let length = u32::from_be_bytes(plain[16..20].try_into().unwrap()) as usize;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&plain[20..20 + length]), text(&plain[20 + length..]))
}

fn signature(bench: &Bench, query: &[(String, String)], sealed: &str) -> bool {
    let get = |name: &str| query.iter().find(|(n, _)| n == name).unwrap().1.as_str();
    let mut parts = [bench.secret("callback_token"), get("timestamp"), get("nonce"), sealed];
    parts.sort_unstable();
    hex::encode(sha1::Sha1::digest(parts.concat())) == get("msg_signature")
}

#[tokio::test]
async fn tokens_are_kept_expire_and_are_refused() {
    let bench = Bench::start("wecom").await;
    let first = token(&bench).await;
    assert_eq!((&first["errcode"], &first["expires_in"]), (&json!(0), &json!(7200)));
    bench.clock.forward(100);
    let second = token(&bench).await;
    assert_eq!(
        (&second["access_token"], &second["expires_in"]),
        (&first["access_token"], &json!(7100))
    );
    let wrong = format!("/cgi-bin/gettoken?corpid={}&corpsecret=x", bench.config("corpid"));
    assert_eq!(bench.get(&wrong).await["errcode"], 40001);
    let stale = format!(
        "/cgi-bin/user/get?userid=lisi&access_token={}",
        first["access_token"].as_str().unwrap()
    );
    bench.clock.forward(7200);
    assert_eq!(bench.get(&stale).await["errcode"], 42001);
    for (knob, code) in [
        ("token_expired", 42001),
        ("ip_not_allowed", 60020),
        ("throttled", 45009),
    ] {
        bench.control("faults", json!({knob: true, "next": 1})).await;
        assert_eq!(api(&bench, "user/get", "&userid=lisi").await["errcode"], code);
        assert_eq!(api(&bench, "user/get", "&userid=lisi").await["name"], "李四");
    }
}

#[tokio::test]
async fn a_member_signs_in_and_an_outsider_is_told_apart() {
    let bench = Bench::start("wecom").await;
    let page = |path: &str, more: &[(&str, &str)]| {
        let base = [
            ("appid", bench.config("corpid")),
            ("agentid", "1000002"),
            ("redirect_uri", "http://127.0.0.1:9/cb"),
            ("state", "s1"),
        ];
        let url = url::Url::parse_with_params(&bench.url(path), base.iter().chain(more)).unwrap();
        bench.http.get(url)
    };
    let code = async |more: &[(&str, &str)], path: &str| {
        let answer = page(path, more).send().await.unwrap();
        let to = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
        let pairs: Vec<(String, String)> = to.query_pairs().into_owned().collect();
        assert!(pairs.contains(&("state".into(), "s1".into())));
        pairs.into_iter().find(|(n, _)| n == "code").map(|(_, v)| v)
    };
    let qr = [("login_type", "CorpApp"), ("auto", "lisi")];
    let one = code(&qr, "/wwlogin/sso/login").await.unwrap();
    assert_eq!(
        api(&bench, "auth/getuserinfo", &format!("&code={one}")).await["userid"],
        "lisi"
    );
    assert_eq!(
        api(&bench, "auth/getuserinfo", &format!("&code={one}")).await["errcode"],
        40163
    );
    assert_eq!(api(&bench, "auth/getuserinfo", "&code=x").await["errcode"], 40029);
    let inside = [
        ("response_type", "code"),
        ("scope", "snsapi_privateinfo"),
        ("auto", "zhangsan"),
    ];
    let two = code(&inside, "/connect/oauth2/authorize").await.unwrap();
    let info = api(&bench, "auth/getuserinfo", &format!("&code={two}")).await;
    let token = token(&bench).await["access_token"].as_str().unwrap().to_owned();
    let detail = bench
        .http
        .post(bench.url(&format!("/cgi-bin/auth/getuserdetail?access_token={token}")));
    let detail: Value = detail
        .json(&json!({"user_ticket": info["user_ticket"]}))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(detail["email"], "zhangsan@example.test");
    assert!(
        code(&[("login_type", "CorpApp"), ("auto", "deny")], "/wwlogin/sso/login")
            .await
            .is_none()
    );
    bench.control("faults", json!({"outsider": true, "auto": true})).await;
    let three = code(&[("login_type", "CorpApp")], "/wwlogin/sso/login").await.unwrap();
    let info = api(&bench, "user/getuserinfo", &format!("&code={three}")).await;
    assert!(info["UserId"].is_null() && info["OpenId"].is_string());
    assert_eq!(
        page("/wwlogin/sso/login", &[("login_type", "Other")])
            .send()
            .await
            .unwrap()
            .status(),
        400
    );
}

#[tokio::test]
async fn the_directory_is_listed_in_pages_and_trees() {
    let bench = Bench::start("wecom").await;
    let all = api(&bench, "department/list", "").await;
    assert_eq!(all["department"].as_array().unwrap().len(), 3);
    assert_eq!(
        api(&bench, "department/simplelist", "&id=2").await["department_id"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let users = |more: &'static str| api(&bench, "user/list", more);
    assert_eq!(users("&department_id=2").await["userlist"].as_array().unwrap().len(), 2);
    assert_eq!(
        users("&department_id=1&fetch_child=1").await["userlist"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let token = token(&bench).await["access_token"].as_str().unwrap().to_owned();
    let (mut cursor, mut seen) = (String::new(), Vec::new());
    for _ in 0..10 {
        let request = bench
            .http
            .post(bench.url(&format!("/cgi-bin/user/list_id?access_token={token}")));
        let page: Value = request
            .json(&json!({"cursor": cursor, "limit": 3}))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        seen.extend(page["dept_user"].as_array().unwrap().clone());
        cursor = page["next_cursor"].as_str().unwrap().to_owned();
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(seen.len(), 4, "lisi is in two departments");
}

#[tokio::test]
async fn callbacks_are_sealed_and_signed() {
    let bench = Bench::start("wecom").await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = format!("http://{}/cb", listener.local_addr().unwrap());
    // The receiver of the address check answers what it found inside, as it has to.
    let check = bench.control("deliver", json!({"kind": "echostr", "to": to}));
    let answer = async {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 8192];
        let read = stream.read(&mut buffer).await.unwrap();
        let head = String::from_utf8_lossy(&buffer[..read]).into_owned();
        let target = head.split(' ').nth(1).unwrap();
        let url = url::Url::parse(&format!("http://x{target}")).unwrap();
        let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let sealed = query.iter().find(|(n, _)| n == "echostr").unwrap().1.clone();
        assert!(signature(&bench, &query, &sealed));
        let (echo, receiver) = open(&bench, &sealed);
        assert_eq!(receiver, bench.config("corpid"));
        let reply = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{echo}",
            echo.len()
        );
        stream.write_all(reply.as_bytes()).await.unwrap();
    };
    let (report, ()) = tokio::join!(check, answer);
    assert_eq!(report["deliveries"][0]["acknowledged"], true, "{report}");

    let hook = Hook::start("success").await;
    let change = json!({"kind": "create_user", "userid": "zhaoliu", "name": "赵六", "department": [2], "to": hook.url});
    let report = bench.control("deliver", change).await;
    let sent = url::Url::parse(report["deliveries"][0]["to"].as_str().unwrap()).unwrap();
    let query: Vec<(String, String)> = sent.query_pairs().into_owned().collect();
    let sealed = |text: &str| {
        text.split("<Encrypt><![CDATA[")
            .nth(1)
            .unwrap()
            .split("]]>")
            .next()
            .unwrap()
            .to_owned()
    };
    let cipher = sealed(hook.take()[0].text());
    assert!(signature(&bench, &query, &cipher));
    let (xml, _) = open(&bench, &cipher);
    assert!(
        xml.contains("<ChangeType><![CDATA[create_user]]>") && xml.contains("赵六"),
        "{xml}"
    );
    assert_eq!(api(&bench, "user/get", "&userid=zhaoliu").await["name"], "赵六");

    for (knob, signed, right) in [("bad_signature", false, true), ("wrong_receiver", true, false)] {
        bench.control("faults", json!({knob: true, "next": 1})).await;
        let change = json!({"kind": "update_user", "userid": "zhaoliu", "name": "x", "to": hook.url});
        let report = bench.control("deliver", change).await;
        let sent = url::Url::parse(report["deliveries"][0]["to"].as_str().unwrap()).unwrap();
        let query: Vec<(String, String)> = sent.query_pairs().into_owned().collect();
        let cipher = sealed(hook.take()[0].text());
        assert_eq!(signature(&bench, &query, &cipher), signed, "{knob}");
        assert_eq!(open(&bench, &cipher).1 == bench.config("corpid"), right, "{knob}");
    }
}
