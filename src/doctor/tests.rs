//! Tests that need no gateway: names, clocks, certificates, a store that no process has open.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use nix::unistd::{Gid, Uid, chown};
use rustls::ServerConfig;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::base::disk::beside;
use crate::store::Store;

#[test]
fn a_name_must_be_a_public_ipv4_address_for_claude() {
    let judged = |addresses: &[&str]| {
        let addresses: Vec<IpAddr> = addresses.iter().map(|ip| ip.parse().unwrap()).collect();
        public::judged("garmin.example.org", &addresses).verdict
    };
    for (addresses, verdict) in [
        (&["93.184.216.34"][..], Verdict::Ok),
        (&["2606:2800:220:1::1", "93.184.216.34"], Verdict::Ok),
        (&["2606:2800:220:1::1"], Verdict::Fail),
        (&["192.168.1.7"], Verdict::Warn),
        (&["100.64.0.1", "fd00::1"], Verdict::Warn),
    ] {
        assert_eq!(judged(addresses), verdict, "{addresses:?}");
    }
}

#[test]
fn a_clock_that_is_off_by_more_than_a_minute_is_told_with_its_way() {
    let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let at = |seconds: i64| clock(now + jiff::SignedDuration::from_secs(seconds), now, "Garmin");
    assert_eq!(at(60).verdict, Verdict::Ok);
    assert_eq!(at(-60).verdict, Verdict::Ok);
    assert_eq!(at(61).says, "61 s ahead of Garmin");
    assert_eq!(at(-3600).says, "3600 s behind Garmin");
}

fn patient(place: &Path) -> Patient {
    patient_with(place, &[])
}

fn patient_with(place: &Path, more: &[(&str, &str)]) -> Patient {
    let secret = place.join("secret");
    let (place, secret) = (place.to_str().unwrap(), secret.to_str().unwrap());
    let pairs = [
        ("PUBLIC_URL", "https://garmin.example.org"),
        ("DATA_DIR", place),
        ("RUNTIME_DIR", place),
        ("GATEWAY_SECRET_FILE", secret),
    ];
    let sources = Sources::of_pairs(pairs.into_iter().chain(more.iter().copied()));
    Patient {
        config: Config::load(&sources).unwrap(),
        visit: Visit {
            sources,
            socket: None,
            program: PathBuf::new(),
            clock: Clock::system(),
            patience: Duration::from_secs(30),
        },
        gateway: None,
        overview: None,
    }
}

/// A new secret would look like the right one at the next run, and the data would stay closed.
#[test]
fn a_missing_secret_is_reported_and_not_created() {
    let place = tempfile::tempdir().unwrap();
    let patient = patient(place.path());
    let (secret, _) = patient.config.secret.resolve().unwrap();
    drop(Store::open(&patient.config.db_path, &secret).unwrap());
    assert_eq!(running::store(&patient)[0].verdict, Verdict::Ok);
    let file = place.path().join("secret");
    fs::remove_file(&file).unwrap();
    for _ in 0..2 {
        assert_eq!(place::secret(&patient)[0].verdict, Verdict::Fail);
        let seen = running::store(&patient);
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert_eq!(seen[0].verdict, Verdict::Warn);
        assert!(seen[0].says.contains("without the secret"), "{seen:?}");
        assert!(!file.exists());
    }
}

/// The file says what is wrong even if no client reaches the gateway.
#[test]
fn the_certificate_is_judged_from_its_file() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name).display().to_string();
    let (chain, key) = (at("chain.pem"), at("key.pem"));
    let patient = patient_with(place.path(), &[("TLS_CERT", &chain), ("TLS_KEY", &key)]);
    let seen = || certificate::in_files(&patient);
    assert!(
        seen()[0].verdict == Verdict::Fail && seen()[0].says.contains("TLS_CERT ("),
        "{:?}",
        seen()
    );
    let made = |host: &str, until: (i32, u8, u8)| {
        let own = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new([host.to_owned()]).unwrap();
        parameters.not_after = rcgen::date_time_ymd(until.0, until.1, until.2);
        fs::write(&chain, parameters.self_signed(&own).unwrap().pem()).unwrap();
        fs::write(&key, own.serialize_pem()).unwrap();
    };
    made("garmin.example.org", (4000, 1, 1));
    assert_eq!(seen()[0].verdict, Verdict::Ok, "{:?}", seen());
    made("other.example.org", (2021, 3, 1));
    let findings = seen();
    assert!(
        findings.iter().all(|one| one.verdict == Verdict::Fail),
        "{findings:?}"
    );
    assert!(findings[0].says.contains("expired on 2021-03-01"), "{findings:?}");
    assert!(
        findings[0].fix.as_ref().unwrap().contains("renew the file"),
        "{findings:?}"
    );
    assert!(
        findings[1].says.contains("not for garmin.example.org"),
        "{findings:?}"
    );
}

#[test]
fn a_program_for_claude_that_is_not_there_is_told() {
    let place = tempfile::tempdir().unwrap();
    let seen = |command: &str| {
        let findings = place::settings(&patient_with(place.path(), &[("CLAUDE_CMD", command)]));
        findings
            .iter()
            .filter(|one| one.says.starts_with("CLAUDE_CMD"))
            .count()
    };
    assert_eq!((seen("nope --model sonnet"), seen("/bin/sh -c true")), (1, 0));
    // A file that can't be executed is no program.
    let text = place.path().join("text");
    fs::write(&text, "").unwrap();
    assert_eq!(seen(text.to_str().unwrap()), 1);
}

#[test]
fn a_gateway_that_does_not_answer_is_to_be_restarted() {
    assert!(running::unreached(&ClientError::Silent).contains("restart"));
    let denied = ClientError::NotAllowed(PathBuf::from("/run/x"));
    assert!(running::unreached(&denied).contains("sudo"));
}

/// Only root can give files away, so other users test nothing here.
#[test]
fn a_store_that_root_opened_stays_with_its_owner() {
    if !Uid::effective().is_root() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let patient = patient(place.path());
    let (secret, _) = patient.config.secret.resolve().unwrap();
    drop(Store::open(&patient.config.db_path, &secret).unwrap());
    let service = (Uid::from_raw(65_534), Gid::from_raw(65_534));
    chown(place.path(), Some(service.0), Some(service.1)).unwrap();
    let copy = beside(&patient.config.db_path, ".before-upgrade");
    fs::create_dir(&copy).unwrap();
    assert_eq!(running::store(&patient)[0].verdict, Verdict::Ok);
    let inside = fs::read_dir(&patient.config.db_path).unwrap();
    for path in inside.map(|entry| entry.unwrap().path()).chain([copy]) {
        assert_eq!(fs::metadata(&path).unwrap().uid(), 65_534, "{path:?}");
    }
    assert_eq!(fs::metadata(place.path().join("secret")).unwrap().uid(), 0);
}

#[test]
fn no_store_is_created_where_there_is_none() {
    let place = tempfile::tempdir().unwrap();
    let patient = patient(place.path());
    patient.config.secret.resolve().unwrap();
    let db_path = &patient.config.db_path;
    let seen = || running::store(&patient).remove(0);
    assert!(seen().says.contains("first start"));
    let new = beside(db_path, ".new");
    fs::create_dir(&new).unwrap();
    assert!(seen().says.contains("interrupted"));
    assert!(!db_path.exists() && new.exists());
    fs::remove_dir(&new).unwrap();
    fs::create_dir(db_path).unwrap();
    assert!(seen().says.contains("first start"));
    assert_eq!(fs::read_dir(db_path).unwrap().count(), 0);
}

/// The doctor's finding about a server that handles a connection with `serve`.
async fn seen<F>(serve: impl FnOnce(TcpStream) -> F) -> Finding
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (accepted, _) = listener.accept().await.unwrap();
    let (patient, served) = (patient(Path::new("/nowhere")), serve(accepted));
    let (mut findings, ()) = tokio::join!(certificate::look(&patient, stream), served);
    findings.remove(0)
}

#[tokio::test]
async fn a_self_made_certificate_and_a_server_without_tls_are_named() {
    let own = rcgen::generate_simple_self_signed(["garmin.example.org".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key.into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let finding = seen(|stream| async move {
        drop(acceptor.accept(stream).await);
    })
    .await;
    assert_eq!(finding.verdict, Verdict::Fail);
    assert!(finding.says.contains("not trusted"), "{finding:?}");

    let finding = seen(|mut stream| async move {
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
    })
    .await;
    assert_eq!(finding.verdict, Verdict::Fail);
    assert!(finding.fix.unwrap().contains("TLS"), "{}", finding.says);
}
