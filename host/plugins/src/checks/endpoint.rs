//! An endpoint of `dial`: its names, and the TLS it asks for.

use super::{Checked, invalid};
use aistack_domain::plugins::port::{Fault, FaultKind};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;
use std::sync::Arc;
use url::Host;

/// Host name or address, and the name its certificate must carry (the host's own without one).
pub(crate) fn names(host: &str, server_name: Option<&str>) -> Checked<(Host, ServerName<'static>)> {
    let Ok(parsed) = Host::parse(host) else {
        return Err(invalid("endpoint_invalid", "not a host name or address"));
    };
    let name = server_name.unwrap_or(host).trim_matches(['[', ']']).to_owned();
    let Ok(name) = ServerName::try_from(name) else {
        return Err(invalid("endpoint_invalid", "not a server name"));
    };
    Ok((parsed, name))
}

/// TLS as the endpoint wants it: the platform's trust, or the given certificates instead; `identity` is a client's chain
/// and key as PEM.
pub(crate) fn tls(ca: Option<&str>, identity: Option<&[u8]>) -> Checked<ClientConfig> {
    let bad = |what: &str| Fault::new(FaultKind::InvalidConfig, "tls_material_invalid", what);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| bad("no TLS version is available"))?;
    let builder = match ca {
        None => builder
            .with_platform_verifier()
            .map_err(|_| bad("the platform's certificates can't be read"))?,
        Some(pem) => {
            let mut roots = RootCertStore::empty();
            for cert in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let cert = cert.map_err(|_| bad("the certificates are not PEM"))?;
                roots.add(cert).map_err(|_| bad("a certificate can't be trusted"))?;
            }
            if roots.is_empty() {
                return Err(bad("there is no certificate in the PEM text"));
            }
            builder.with_root_certificates(roots)
        }
    };
    let Some(pem) = identity else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| bad("the client certificate is not PEM"))?;
    let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| bad("there is no client key in the PEM text"))?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|_| bad("the client certificate and key do not fit"))
}
