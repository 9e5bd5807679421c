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

/// What `openssl x509 -req -signkey` makes without extensions.
const OF_VERSION_1: &str = "\
-----BEGIN CERTIFICATE-----
MIIBNjCB3QIUZ6jyHOE3o7Z8PhAd3dykMtJGCBMwCgYIKoZIzj0EAwIwHTEbMBkG
A1UEAwwSZ2FybWluLmV4YW1wbGUub3JnMCAXDTI2MTEzMDIzMTAyNloYDzIxMjYx
MTA2MjMxMDI2WjAdMRswGQYDVQQDDBJnYXJtaW4uZXhhbXBsZS5vcmcwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAATYKgtVfHUp6RvMpwTDP4+yu1uSfXzAttjmMAjO
Dr+KsMCcOXvRjFwy1TpQUYLuvgi7Z02r7kLMoOMjerqsouEtMAoGCCqGSM49BAMC
A0gAMEUCIQCb0WfZtFvTEnIXMSfW/2Zs6jQWq7JKdz9W5JacLbR/mAIgfHw+GmBk
xU5R7/aez1KN7J+zmharYRqfHltihA7srfo=
-----END CERTIFICATE-----
";

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
    Ok(start(parts, lifecycle)?.map(|tls| tls.acceptor))
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

/// A certificate that is wrong in one way, and its key.
fn made(change: impl FnOnce(&mut rcgen::CertificateParams)) -> Issued {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new([HOST.to_owned()]).unwrap();
    change(&mut parameters);
    let own = parameters.self_signed(&key).unwrap();
    Issued {
        der: own.der().to_vec(),
        chain: own.pem(),
        key: key.serialize_pem(),
    }
}

#[test]
fn what_clients_refuse_is_told_from_the_file_alone() {
    let dir = tempfile::tempdir().unwrap();
    let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
    let told = |issued: Issued, host: &str| {
        write(dir.path(), &issued);
        let report = examine(&files_in(dir.path()), host, now).unwrap().unwrap();
        let faults: Vec<_> = report.faults.iter().map(ToString::to_string).collect();
        faults.join("; ")
    };
    let lasting = |from: (i32, u8, u8), to: (i32, u8, u8)| {
        made(|parameters| {
            parameters.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
            parameters.not_after = rcgen::date_time_ymd(to.0, to.1, to.2);
        })
    };
    let good = ((2026, 2, 1), (2026, 5, 1));
    assert_eq!(told(lasting(good.0, good.1), HOST), "");
    assert_eq!(
        told(lasting((2020, 1, 1), (2021, 3, 1)), HOST),
        "it expired on 2021-03-01, so no client accepts it"
    );
    assert_eq!(
        told(lasting((2026, 1, 1), (2026, 3, 20)), HOST),
        "it expires on 2026-03-20, and no newer one is there yet"
    );
    // One of six days is in its last third only after four of them.
    assert_eq!(told(lasting((2026, 3, 9), (2026, 3, 15)), HOST), "");
    assert_eq!(
        told(lasting((2026, 4, 1), (2026, 6, 1)), HOST),
        "it is not valid before 2026-04-01"
    );
    assert_eq!(
        told(lasting(good.0, good.1), "other.example.org"),
        "it is not for other.example.org, the host of PUBLIC_URL"
    );
    let by_address = made(|parameters| {
        parameters.subject_alt_names = vec![rcgen::SanType::IpAddress("2001:db8::7".parse().unwrap())];
        parameters.not_before = rcgen::date_time_ymd(2026, 2, 1);
        parameters.not_after = rcgen::date_time_ymd(2026, 5, 1);
    });
    assert_eq!(told(by_address, "[2001:db8::7]"), "");
}

/// A renewed file that can't be used must not stay a line in the log, because the old one expires.
#[tokio::test(start_paused = true)]
async fn the_state_of_the_certificate_is_known_while_it_is_served() {
    let (dir, lifecycle) = (tempfile::tempdir().unwrap(), Lifecycle::new());
    let old = made(|parameters| parameters.not_after = rcgen::date_time_ymd(2021, 3, 1));
    write(dir.path(), &old);
    let secret = RootSecret::new("a secret of at least thirty-two characters").unwrap();
    let parts = TlsParts {
        settings: files_in(dir.path()),
        host: HOST.to_owned(),
        store: Store::open(&dir.path().join("db"), &secret).unwrap(),
        clock: Clock::system(),
    };
    let health = start(parts, &lifecycle).unwrap().unwrap().health;
    let now = Clock::system().now();
    let seen = health.sentences(now);
    assert!(
        seen.len() == 1 && seen[0].starts_with("it expired on 2021-03-01") && seen[0].contains("TLS_CERT"),
        "{seen:?}"
    );
    let later = || tokio::time::sleep(Duration::from_secs(25));
    std::fs::write(dir.path().join("key.pem"), "half a key").unwrap();
    later().await;
    let seen = health.sentences(now);
    assert!(seen.len() == 2 && seen[1].contains("TLS_KEY ("), "{seen:?}");
    write(dir.path(), &issued());
    later().await;
    assert_eq!(health.sentences(now), [""; 0]);
    lifecycle.stop();
}

#[tokio::test]
async fn unusable_files_are_named_together() {
    let (one, other) = (issued(), issued());
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let chain_of_one = Some(one.chain.as_str());
    for (chain, key, says) in [
        (
            chain_of_one,
            Some(other.key.as_str()),
            vec!["TLS_KEY (", "does not belong"],
        ),
        (
            Some("no PEM at all"),
            Some(&one.key),
            vec!["TLS_CERT (", "contains no certificate"],
        ),
        (chain_of_one, Some(encrypted), vec!["TLS_KEY (", "is encrypted"]),
        (chain_of_one, None, vec!["TLS_KEY (", "can't be read"]),
        (
            None,
            Some("no key"),
            vec!["TLS_CERT (", "can't be read", "; and TLS_KEY (", "no private key"],
        ),
        (
            Some(OF_VERSION_1),
            Some(&one.key),
            vec!["TLS_CERT (", "an old version of X.509"],
        ),
    ] {
        let (dir, lifecycle) = (tempfile::tempdir().unwrap(), Lifecycle::new());
        for (name, content) in [("chain.pem", chain), ("key.pem", key)] {
            if let Some(content) = content {
                std::fs::write(dir.path().join(name), content).unwrap();
            }
        }
        let Err(e) = try_start(files_in(dir.path()), dir.path(), &lifecycle) else {
            panic!("it was accepted: {says:?}");
        };
        for part in says {
            assert!(e.to_string().contains(part), "{part}: {e}");
        }
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
    served.replace(parsed);
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
