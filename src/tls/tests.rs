//! Handshakes with real sockets.

use std::path::Path;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

use super::*;
use crate::base::secrets::RootSecret;
use crate::config::AcmeSettings;

const HOST: &str = "garmin.example.org";

struct Issued {
    der: Vec<u8>,
    chain: String,
    key: String,
}

fn issued() -> Issued {
    let own = rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
    Issued {
        der: own.cert.der().to_vec(),
        chain: own.cert.pem(),
        key: own.signing_key.serialize_pem(),
    }
}

/// A gateway's TLS with these settings.
struct Served {
    acceptor: TlsAcceptor,
    dir: TempDir,
    lifecycle: Lifecycle,
}

fn files_in(dir: &Path) -> TlsSettings {
    TlsSettings::Files {
        certificate: dir.join("chain.pem"),
        key: dir.join("key.pem"),
    }
}

fn try_start(
    settings: TlsSettings,
    dir: &Path,
    lifecycle: &Lifecycle,
) -> Result<Option<TlsAcceptor>, TlsError> {
    let secret = RootSecret::new("a secret of at least thirty-two characters").unwrap();
    let parts = TlsParts {
        settings,
        host: HOST.to_owned(),
        store: Store::open(&dir.join("db"), &secret).unwrap(),
        clock: Clock::system(),
    };
    start(parts, lifecycle)
}

fn write(dir: &Path, issued: &Issued) {
    std::fs::write(dir.join("chain.pem"), &issued.chain).unwrap();
    std::fs::write(dir.join("key.pem"), &issued.key).unwrap();
}

fn serve_files(issued: &Issued) -> Served {
    let (dir, lifecycle) = (tempfile::tempdir().unwrap(), Lifecycle::new());
    write(dir.path(), issued);
    let acceptor = try_start(files_in(dir.path()), dir.path(), &lifecycle)
        .unwrap()
        .unwrap();
    Served {
        acceptor,
        dir,
        lifecycle,
    }
}

/// Accepts every certificate, because that of an ACME check is never valid for a client.
#[derive(Debug)]
struct Observer(Arc<CryptoProvider>);

impl ServerCertVerifier for Observer {
    fn verify_server_cert(
        &self,
        _own: &CertificateDer<'_>,
        _others: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// The protocol that a client and the gateway agree on, and the certificate that the client gets.
async fn handshake(acceptor: &TlsAcceptor, alpn: &[&str]) -> Option<(String, Vec<u8>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Observer(provider)))
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let client = async {
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from(HOST).unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    };
    let server = async {
        let (stream, _) = listener.accept().await.unwrap();
        acceptor.accept(stream).await
    };
    let (client, server) = tokio::join!(client, server);
    let protocol = server
        .ok()?
        .get_ref()
        .1
        .alpn_protocol()
        .unwrap_or_default()
        .to_vec();
    let certificates = client.ok()?.get_ref().1.peer_certificates()?.to_vec();
    Some((
        String::from_utf8(protocol).unwrap(),
        certificates.first()?.to_vec(),
    ))
}

/// The certificate that a browser gets.
async fn shown(acceptor: &TlsAcceptor) -> Option<Vec<u8>> {
    handshake(acceptor, &["h2"])
        .await
        .map(|(_, certificate)| certificate)
}

#[tokio::test]
async fn clients_agree_on_a_protocol() {
    let issued = issued();
    let served = serve_files(&issued);
    for (offered, agreed) in [
        (vec!["h2", "http/1.1"], "h2"),
        (vec!["http/1.1"], "http/1.1"),
        (vec![], ""),
    ] {
        let expected = (agreed.to_owned(), issued.der.clone());
        assert_eq!(handshake(&served.acceptor, &offered).await, Some(expected));
    }
    served.lifecycle.stop();
}

#[tokio::test(start_paused = true)]
async fn a_renewed_certificate_is_served_and_a_broken_one_is_not() {
    let (first, second) = (issued(), issued());
    let served = serve_files(&first);
    let later = || tokio::time::sleep(Duration::from_secs(25));
    // Half of a renewal: the key does not belong to the certificate yet.
    std::fs::write(served.dir.path().join("chain.pem"), &second.chain).unwrap();
    later().await;
    assert_eq!(shown(&served.acceptor).await.as_ref(), Some(&first.der));
    write(served.dir.path(), &second);
    later().await;
    assert_eq!(shown(&served.acceptor).await.as_ref(), Some(&second.der));
    std::fs::remove_file(served.dir.path().join("key.pem")).unwrap();
    later().await;
    assert_eq!(shown(&served.acceptor).await.as_ref(), Some(&second.der));
}

#[tokio::test]
async fn unusable_files_are_named() {
    let (one, other) = (issued(), issued());
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (chain, key, says) in [
        (
            Some(one.chain.as_str()),
            Some(other.key.as_str()),
            "does not belong",
        ),
        (Some("no PEM at all"), Some(&one.key), "contains no certificate"),
        (Some(&one.chain), Some(encrypted), "is encrypted"),
        (Some(&one.chain), None, "TLS_KEY"),
        (None, Some(&one.key), "TLS_CERT"),
    ] {
        let (dir, lifecycle) = (tempfile::tempdir().unwrap(), Lifecycle::new());
        for (name, content) in [("chain.pem", chain), ("key.pem", key)] {
            if let Some(content) = content {
                std::fs::write(dir.path().join(name), content).unwrap();
            }
        }
        let Err(e) = try_start(files_in(dir.path()), dir.path(), &lifecycle) else {
            panic!("it was accepted: {says}");
        };
        assert!(e.to_string().contains(says), "{e}");
    }
}

/// RFC 8737: only the authority gets the certificate of a check, and only while there is one.
#[tokio::test]
async fn a_check_gets_its_own_certificate() {
    let served = Arc::new(ServedCertificate::default());
    let acceptor = TlsAcceptor::from(Arc::new(served::configuration(Arc::clone(&served)).unwrap()));
    let challenge = acme::challenge_certificate(HOST, &[7; 32]).unwrap();
    let check = async || handshake(&acceptor, &["acme-tls/1"]).await;
    assert_eq!(check().await, None);
    let current = issued();
    let parsed = certificate::Certificate::parse(current.chain.as_bytes(), current.key.as_bytes()).unwrap();
    served.replace(parsed.key);
    assert_eq!(check().await, None);
    let answer = challenge.cert.first().unwrap().to_vec();
    served.answer_challenge(Some(challenge));
    assert_eq!(check().await, Some(("acme-tls/1".to_owned(), answer)));
    assert_eq!(shown(&acceptor).await, Some(current.der));
    served.answer_challenge(None);
    assert_eq!(check().await, None);
}

#[tokio::test]
async fn an_authority_that_is_away_does_not_keep_the_gateway_from_starting() {
    let (dir, lifecycle) = (tempfile::tempdir().unwrap(), Lifecycle::new());
    let settings = TlsSettings::Acme(AcmeSettings {
        directory: "http://127.0.0.1:1/directory".parse().unwrap(),
        root: None,
    });
    drop(rustls::crypto::ring::default_provider().install_default());
    assert!(try_start(settings, dir.path(), &lifecycle).unwrap().is_some());
    lifecycle.stop();
    assert!(lifecycle.drain(Duration::from_secs(5)).await);
}
