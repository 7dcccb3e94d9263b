//! A directory with the manners of Active Directory: StartTLS before passwords, pages, ranges, groups within groups,
//! change numbers, and refusals that name their reason.

mod ber;
mod entries;
mod filter;
mod search;
mod server;

use crate::material::people::PEOPLE;
use crate::material::{Certificate, Signer};
use crate::shell::faults::{Armed, Knob, ROTATE_CERTIFICATE, Rotation};
use crate::shell::{Base, Counterpart, Parts, Simulator, StartError};
use crate::wire::{Call, Notice, Refusal, Reply, Text};
use entries::{BASE, Directory};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Map, Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_rustls::TlsAcceptor;

pub(crate) const SIMULATOR: Simulator = Simulator {
    name: "ldap",
    title: Text {
        en: "A directory: LDAP with StartTLS and LDAPS on one port.",
        zh: "LDAP 目录服务：同一端口支持 StartTLS 与 LDAPS。",
    },
    knobs: &[
        Knob::flag("allow_plain", "take passwords without TLS", "允许不经 TLS 发送密码"),
        Knob::flag("no_start_tls", "refuse StartTLS", "拒绝 StartTLS"),
        Knob::flag("bad_certificate", "a certificate for another host", "证书主机名不符"),
        Knob::flag("drop", "cut the connection instead of answering", "不应答并断开连接"),
        Knob::flag(
            "busy",
            "answer binds and searches with busy (51)",
            "绑定与查询返回 busy（51）",
        ),
        Knob::flag(
            "incomplete",
            "end searches with sizeLimitExceeded (4)",
            "查询以 sizeLimitExceeded（4）结束",
        ),
        Knob::flag("lose_cookie", "forget paged searches (53)", "分页 cookie 失效（53）"),
        Knob::flag(
            "referral",
            "send a referral to another server along",
            "结果中附带指向其他服务器的引用",
        ),
        ROTATE_CERTIFICATE,
    ],
    build,
};

fn certificate(base: &Base, root: &Certificate, number: usize, host: &str) -> Certificate {
    let names = if host == "localhost" {
        vec![
            host.to_owned(),
            "127.0.0.1".to_owned(),
            "::1".to_owned(),
            base.address.ip().to_string(),
        ]
    } else {
        vec![host.to_owned()]
    };
    Certificate::make(
        &base.material,
        &format!("server {host} {number}"),
        host,
        &names,
        &Signer::By(root),
    )
}

fn build(base: &Base) -> Result<Parts, StartError> {
    let root = Certificate::make(&base.material, "root", "Sim LDAP Root", &[], &Signer::Authority);
    let own = acceptor(&certificate(base, &root, 0, "localhost"))?;
    let wrong = acceptor(&certificate(base, &root, 0, "wrong.example"))?;
    let mut secrets = Map::new();
    secrets.insert(
        "bind_password".into(),
        json!(entries::password(&base.material, "reader")),
    );
    for person in &PEOPLE {
        secrets.insert(
            format!("password_of_{}", person.name),
            json!(entries::password(&base.material, person.name)),
        );
    }
    // The next port, so that both are known beforehand; another free one when it is taken or none was asked for.
    let next = base.address.port().checked_add(1).unwrap_or_default();
    let listen = |port| std::net::TcpListener::bind(SocketAddr::new(base.address.ip(), port));
    let listener = listen(next).or_else(|_| listen(0));
    let failed = |source| StartError::Listen {
        address: base.address,
        source,
    };
    let listener = listener.map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let ldap = Arc::new(Ldap {
        base: base.clone(),
        state: Mutex::new(State {
            directory: Directory::make(&base.material),
            own,
            wrong,
            rotations: 0,
        }),
        root,
    });
    let task = tokio::spawn(server::serve(listener, ldap.clone()));
    Ok(Parts {
        config: json!({"host": address.ip().to_string(), "port": address.port(), "tls": "starttls",
            "ca_certificate": ldap.root.pem(), "base_dn": BASE, "bind_dn": format!("CN=reader,OU=Services,{BASE}"),
            "bind_password": {"$secret": "bind_password"}, "user_filter": "(&(objectClass=user)(sAMAccountName={login}))",
            "id_attribute": "objectGUID"}),
        secrets: Value::Object(secrets),
        notes: vec![
            Text {
                en: "People: alice, bob, zhang and user0001 to user1600, who have no passwords. At most 1000 entries at a time and 1500 values of an attribute; nothing is shown to who is not bound; an empty password binds as nobody and succeeds, as RFC 4513 wants it.",
                zh: "用户：alice、bob、zhang 以及没有密码的 user0001–user1600。单次最多 1000 条、单个属性最多 1500 个值；未绑定不可查询；按 RFC 4513，空密码绑定会以匿名身份成功。",
            },
            Text {
                en: "POST /_sim/deliver {\"kind\": \"disable\", \"user\": \"bob\"} changes an account: disable, enable, lock, unlock, remove, add. The change number uSNChanged goes up.",
                zh: "POST /_sim/deliver {\"kind\": \"disable\", \"user\": \"bob\"} 修改账号：disable、enable、lock、unlock、remove、add；uSNChanged 随之递增。",
            },
        ],
        counterpart: ldap,
        address: Some(format!("ldap://{address}")),
        task: Some(task),
    })
}

fn acceptor(certificate: &Certificate) -> Result<TlsAcceptor, StartError> {
    let failed = |e: rustls::Error| StartError::Material(e.to_string());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(certificate.key.pkcs8()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(certificate.der.clone())], key)
        .map_err(failed)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

struct State {
    directory: Directory,
    own: TlsAcceptor,
    wrong: TlsAcceptor,
    rotations: usize,
}

pub(crate) struct Ldap {
    base: Base,
    root: Certificate,
    state: Mutex<State>,
}

impl Ldap {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy: a search takes its time, and sees one state.
    fn directory(&self) -> Directory {
        self.state().directory.clone()
    }

    fn acceptor(&self) -> TlsAcceptor {
        let armed = self.base.faults.look();
        let wrong = armed.on("bad_certificate");
        self.base.faults.settle(&armed);
        let state = self.state();
        if wrong { state.wrong.clone() } else { state.own.clone() }
    }

    /// Code and text of a simple bind.
    fn bind(&self, name: &str, password: &[u8], tls: bool, armed: &Armed) -> (i64, String) {
        // An empty password is no proof: the connection is anonymous, and that is a success (RFC 4513 §5.1.2).
        if password.is_empty() {
            return (0, String::new());
        }
        if !tls && !armed.on("allow_plain") {
            let text = "00002028: LdapErr: DSID-0C090259, comment: The server requires binds to turn on integrity checking if SSL\\TLS are not already active on the connection, data 0, v4563";
            return (8, text.to_owned());
        }
        let refused = |data: &str| {
            let text =
                format!("80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data {data}, v4563");
            (49, text)
        };
        let state = self.state();
        let Some(account) = state.directory.account(name) else {
            return refused("525");
        };
        if account.locked {
            return refused("775");
        }
        if account.password.as_ref().is_none_or(|p| p.as_bytes() != password) {
            return refused("52e");
        }
        if account.disabled() {
            return refused("533");
        }
        (0, String::new())
    }
}

impl Counterpart for Ldap {
    fn handle(&self, _: &Call, _: &Armed) -> Reply {
        Reply::new(404, "text/plain", "the directory speaks LDAP on its own port; see /")
    }

    fn deliver(&self, what: &Value, _: &Armed) -> Result<Vec<Notice>, Refusal> {
        let kind = what["kind"].as_str().unwrap_or_default();
        let known = ["disable", "enable", "lock", "unlock", "remove", "add"];
        if !known.contains(&kind) {
            return Err(Refusal::unknown_kind(&what["kind"], &known.join(", ")));
        }
        let user = what["user"].as_str().unwrap_or_default();
        let plain = !user.is_empty() && user.bytes().all(|b| b.is_ascii_alphanumeric());
        if !plain || !self.state().directory.change(&self.base.material, kind, user) {
            let detail = format!("{kind} can't be done with {user:?}");
            let hint = "a name of letters and digits; to add, one that is not there, otherwise one that is";
            return Err(Refusal {
                field: Some("user"),
                ..Refusal::new(409, "account", detail, hint)
            });
        }
        Ok(Vec::new())
    }

    fn rotate(&self, _: Rotation) {
        let number = {
            let mut state = self.state();
            state.rotations += 1;
            state.rotations
        };
        if let Ok(own) = acceptor(&certificate(&self.base, &self.root, number, "localhost")) {
            self.state().own = own;
        }
    }

    fn reset(&self) {
        self.state().directory = Directory::make(&self.base.material);
    }

    fn state(&self) -> Value {
        let state = self.state();
        let mut shown = state.directory.shown();
        shown["certificate_generation"] = json!(state.rotations);
        shown
    }
}
