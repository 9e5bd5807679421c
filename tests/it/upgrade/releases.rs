//! Releases as `packaging/release.sh` makes them, signed with a key of the test, on a real HTTP server.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use miniz_oxide::deflate::compress_to_vec;
use ring::digest::{SHA256, SHA512, digest};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};

/// A release key.
pub(super) struct ReleaseKey(Ed25519KeyPair);

/// Fields as OpenSSH writes them: each with its length before it.
fn fields(parts: &[&[u8]]) -> Vec<u8> {
    let length = |part: &[u8]| u32::try_from(part.len()).unwrap().to_be_bytes();
    parts
        .iter()
        .flat_map(|part| [&length(part)[..], part].concat())
        .collect()
}

impl ReleaseKey {
    pub(super) fn new() -> Self {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self(Ed25519KeyPair::from_pkcs8(made.as_ref()).unwrap())
    }

    fn blob(&self) -> Vec<u8> {
        fields(&[b"ssh-ed25519", self.0.public_key().as_ref()])
    }

    /// The public key as it stands in a `.pub` file.
    pub(super) fn public(&self) -> String {
        format!("ssh-ed25519 {}", STANDARD.encode(self.blob()))
    }

    /// Signs a file as `ssh-keygen -Y sign -n garmin-gateway` does.
    fn sign(&self, file: &[u8]) -> Vec<u8> {
        let hash = digest(&SHA512, file);
        let purpose: [&[u8]; 3] = [b"garmin-gateway", b"", b"sha512"];
        let [namespace, reserved, algorithm] = purpose;
        let signed = fields(&[namespace, reserved, algorithm, hash.as_ref()]);
        let signature = self.0.sign(&[b"SSHSIG", &signed[..]].concat());
        let signature = fields(&[b"ssh-ed25519", signature.as_ref()]);
        let fields = fields(&[&self.blob(), namespace, reserved, algorithm, &signature]);
        let whole = STANDARD.encode([b"SSHSIG\0\0\0\x01", &fields[..]].concat());
        format!("-----BEGIN SSH SIGNATURE-----\n{whole}\n-----END SSH SIGNATURE-----\n").into_bytes()
    }
}

pub(super) fn archive_name() -> String {
    format!("garmin-gateway-{}-linux.tar.gz", std::env::consts::ARCH)
}

fn archive(program: &[u8]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, data) in [("LICENSE", &b"MIT"[..]), ("garmin-gateway", program)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(data.len() as u64);
        header.set_mode(0o755);
        archive.append_data(&mut header, name, data).unwrap();
    }
    let data = compress_to_vec(&archive.into_inner().unwrap(), 1);
    [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], &data[..], &[0; 8]].concat()
}

type Files = BTreeMap<String, Vec<u8>>;

/// The files of a sealed release, by name.
pub(super) fn sealed(key: &ReleaseKey, version: &str, program: &[u8]) -> Files {
    let mut files = Files::from([
        (
            "notes.json".to_owned(),
            format!("{{\"version\": \"{version}\", \"notes\": []}}\n").into_bytes(),
        ),
        (archive_name(), archive(program)),
    ]);
    let hex = |file: &[u8]| -> String {
        let digits = digest(&SHA256, file);
        digits
            .as_ref()
            .iter()
            .fold(String::new(), |all, byte| format!("{all}{byte:02x}"))
    };
    let lines = files
        .iter()
        .map(|(name, file)| format!("{}  {name}\n", hex(file)));
    let sums = lines.collect::<String>().into_bytes();
    files.insert("notes.json.sig".to_owned(), key.sign(&files["notes.json"]));
    files.insert("SHA256SUMS.sig".to_owned(), key.sign(&sums));
    files.insert("SHA256SUMS".to_owned(), sums);
    files
}

/// Serves files by path.
#[derive(Clone)]
pub(super) struct ReleaseServer {
    pub(super) url: String,
    state: Arc<Mutex<ServerState>>,
}

#[derive(Default)]
struct ServerState {
    files: Files,
    asked: Vec<String>,
    /// A path whose response is cut off in the middle.
    cut: Option<String>,
}

impl ReleaseServer {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            state: Arc::default(),
        };
        let serving = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = vec![0; 4_096];
                let read = stream.read(&mut head).unwrap();
                let head = String::from_utf8_lossy(&head[..read]).into_owned();
                assert!(!head.contains(env!("CARGO_PKG_VERSION")), "{head}");
                let answer = serving.answer(head.split(' ').nth(1).unwrap_or_default());
                // The client may have gone.
                stream.write_all(&answer).unwrap_or_default();
            }
        });
        server
    }

    fn answer(&self, path: &str) -> Vec<u8> {
        let mut state = self.state.lock().unwrap();
        state.asked.push(path.to_owned());
        let found = state.files.get(path);
        let status = if found.is_some() { 200 } else { 404 };
        let body = found.map(Vec::as_slice).unwrap_or_default();
        let sent = if state.cut.as_deref() == Some(path) {
            &body[..body.len() / 2]
        } else {
            body
        };
        let length = body.len();
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        [head.as_bytes(), sent].concat()
    }

    /// Publishes files at `under`, such as `latest/download`, instead of all others.
    pub(super) fn publish(&self, under: &str, files: Files) {
        let at = |(name, file)| (format!("/{under}/{name}"), file);
        let state = ServerState {
            files: files.into_iter().map(at).collect(),
            ..ServerState::default()
        };
        *self.state.lock().unwrap() = state;
    }

    pub(super) fn cut(&self, path: &str) {
        self.state.lock().unwrap().cut = Some(path.to_owned());
    }

    /// The paths that were asked for since the last release was published.
    pub(super) fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.clone()
    }
}
