//! A release as `packaging/release.sh` signs it and `install.sh` reads it. Below the address of the releases are
//! `latest/download/` and `download/v1.2.3/`. In each, SHA256SUMS is signed and lists every other file.
//!
//! This list covers both the notes, which contain the version, and the archive, so neither can come from another
//! release.

use std::io::{Cursor, Read};
use std::path::Path;
use std::time::Duration;

use miniz_oxide::inflate::decompress_to_vec_with_limit;
use serde::Deserialize;
use url::Url;

use super::error::UpgradeError;
use crate::base::download::{DownloadLimits, Downloader};
use crate::base::gzip::gzip_data;
use crate::base::loopback::is_loopback;
use crate::base::secrets::sha256;
use crate::base::ssh_signature::SignerKey;
use crate::base::version;

const NAME: &str = "garmin-gateway";
const SUMS: &str = "SHA256SUMS";
const NOTES: &str = "notes.json";
const LATEST: &str = "latest/download/";

const SMALL: DownloadLimits = DownloadLimits {
    bytes: 64 * 1024,
    time: Duration::from_secs(60),
};
const ARCHIVE: DownloadLimits = DownloadLimits {
    bytes: 128 << 20,
    time: Duration::from_secs(3600),
};
/// The maximum size of an unpacked archive, in bytes.
const UNPACKED: usize = 512 << 20;

/// The address of the releases, and the key that signs them.
#[derive(Clone, Debug)]
pub struct Releases {
    /// The directory of the newest release.
    latest: Url,
    key: SignerKey,
}

/// A release that its key has signed.
#[derive(Debug)]
pub struct Release {
    pub version: String,
    /// The name of the archive for this machine.
    pub archive: String,
    pub directory: Url,
    downloader: Downloader,
    sums: Checksums,
}

/// The list of checksums, whose signature was verified.
#[derive(Debug)]
struct Checksums(String);

#[derive(Deserialize)]
struct VersionInNotes {
    version: String,
}

impl Releases {
    /// The releases below the address `base`.
    pub fn at(base: &Url, key: SignerKey) -> Result<Self, UpgradeError> {
        let mut base = base.clone();
        base.set_path(&format!("{}/", base.path().trim_end_matches('/')));
        let latest = base.join(LATEST);
        Self::in_directory(latest.map_err(|_| UpgradeError::Address)?, key)
    }

    /// The releases whose newest one has its news at this address.
    pub fn beside(news: &Url, key: SignerKey) -> Result<Self, UpgradeError> {
        let latest = news.join(".").map_err(|_| UpgradeError::Address)?;
        Self::in_directory(latest, key)
    }

    /// With plain http, anybody on the network path could hide a new release. A loopback address has no such path.
    fn in_directory(latest: Url, key: SignerKey) -> Result<Self, UpgradeError> {
        match latest.scheme() {
            "https" => Ok(Self { latest, key }),
            "http" if is_loopback(&latest) => Ok(Self { latest, key }),
            _ => Err(UpgradeError::Address),
        }
    }

    /// The directory of a release; without a version, of the newest one.
    fn directory(&self, version: Option<&str>) -> Result<Url, UpgradeError> {
        let Some(version) = version else {
            return Ok(self.latest.clone());
        };
        let base = self.latest.path().strip_suffix(LATEST);
        let base = base.ok_or(UpgradeError::NoVersions)?;
        let mut directory = self.latest.clone();
        directory.set_path(&format!("{base}download/v{version}/"));
        Ok(directory)
    }

    /// Reads the description of a release, and verifies its signature.
    pub async fn find(&self, version: Option<&str>) -> Result<Release, UpgradeError> {
        if version.is_some_and(|version| version::numbers(version).is_none()) {
            return Err(UpgradeError::NoVersion(version.unwrap_or_default().to_owned()));
        }
        let directory = self.directory(version)?;
        let failed = |file: &str| {
            let url = in_directory(&directory, file);
            move |reason| UpgradeError::of_download(url.to_string(), reason)
        };
        let downloader = Downloader::new(&directory).map_err(failed(SUMS))?;
        let sums = downloader.fetch_signed(in_directory(&directory, SUMS), &self.key, SMALL);
        let sums = sums.await.map_err(failed(SUMS))?;
        let sums = Checksums(String::from_utf8_lossy(&sums).into_owned());
        let notes = downloader.fetch(in_directory(&directory, NOTES), SMALL);
        let notes = notes.await.map_err(failed(NOTES))?;
        sums.check(NOTES, &notes)?;
        let notes = serde_json::from_slice::<VersionInNotes>(&notes).ok();
        let found = notes.filter(|notes| version::numbers(&notes.version).is_some());
        let found = found
            .ok_or_else(|| UpgradeError::not_genuine(NOTES, "it names no version"))?
            .version;
        if version.is_some_and(|version| version != found) {
            let reason = format!("it is version {found}");
            return Err(UpgradeError::not_genuine(NOTES, &reason));
        }
        Ok(Release {
            version: found,
            archive: format!("{NAME}-{}-linux.tar.gz", std::env::consts::ARCH),
            directory,
            downloader,
            sums,
        })
    }
}

impl Release {
    /// Fetches the program, checks it against the signed list, and unpacks it.
    pub async fn program(&self) -> Result<Vec<u8>, UpgradeError> {
        if self.sums.of(&self.archive).is_none() {
            return Err(UpgradeError::NoArchive {
                version: self.version.clone(),
                archive: self.archive.clone(),
            });
        }
        let url = in_directory(&self.directory, &self.archive);
        let packed = self.downloader.fetch(url.clone(), ARCHIVE).await;
        let packed = packed.map_err(|reason| UpgradeError::of_download(url.to_string(), reason))?;
        self.sums.check(&self.archive, &packed)?;
        unpack(&packed).ok_or_else(|| UpgradeError::not_genuine(&self.archive, "it contains no program"))
    }
}

impl Checksums {
    /// The SHA-256 of a file, as hexadecimal digits. A `*` before the name marks binary mode.
    fn of(&self, name: &str) -> Option<&str> {
        let mut lines = self
            .0
            .lines()
            .filter_map(|line| line.split_once(char::is_whitespace));
        let is_it = |named: &str| named.trim().trim_start_matches('*') == name;
        lines.find(|(_, named)| is_it(named)).map(|(digits, _)| digits)
    }

    fn check(&self, name: &str, file: &[u8]) -> Result<(), UpgradeError> {
        let digest = sha256(file);
        match self.of(name) {
            Some(wanted) if digits(wanted).as_deref() == Some(&digest[..]) => Ok(()),
            Some(_) => Err(UpgradeError::not_genuine(name, "its checksum is wrong")),
            None => Err(UpgradeError::not_genuine(
                name,
                "it is not in the list of checksums",
            )),
        }
    }
}

/// The bytes of hexadecimal digits; `None` if they are not valid.
fn digits(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.map(byte).collect()
}

/// The program in an archive.
fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let unpacked = decompress_to_vec_with_limit(gzip_data(packed)?, UNPACKED).ok()?;
    let mut archive = tar::Archive::new(Cursor::new(unpacked));
    for entry in archive.entries().ok()? {
        let mut entry = entry.ok()?;
        let is_program = entry.header().entry_type().is_file() && *entry.path().ok()? == *Path::new(NAME);
        if is_program {
            let mut program = Vec::new();
            entry.read_to_end(&mut program).ok()?;
            return Some(program).filter(|program| !program.is_empty());
        }
    }
    None
}

fn in_directory(directory: &Url, file: &str) -> Url {
    let mut url = directory.clone();
    url.set_path(&format!("{}{file}", directory.path()));
    url.set_query(None);
    url
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec;

    use super::*;

    const KEY: &str = include_str!("../../../tests/signatures/key.pub");

    fn packed(entries: &[(&str, &[u8], bool)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, data, is_file) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_size(data.len() as u64);
            header.set_mode(0o755);
            if !is_file {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_link_name("/bin/sh").unwrap();
            }
            archive.append_data(&mut header, name, *data).unwrap();
        }
        gzip(&archive.into_inner().unwrap())
    }

    fn gzip(data: &[u8]) -> Vec<u8> {
        let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
        // The digest covers the whole file, so the trailer is never checked.
        [&head, &compress_to_vec(data, 6)[..], &[0; 8]].concat()
    }

    #[test]
    fn the_program_is_taken_out_of_the_archive_and_nothing_else() {
        let whole = packed(&[("LICENSE", b"MIT", true), (NAME, b"program", true)]);
        assert_eq!(unpack(&whole).as_deref(), Some(&b"program"[..]));
        for bad in [
            packed(&[("bin/garmin-gateway", b"program", true)]),
            packed(&[(NAME, b"", false)]),
            packed(&[(NAME, b"", true)]),
            gzip(b"no archive"),
            whole[..whole.len() / 2].to_vec(),
            b"<html>".to_vec(),
            Vec::new(),
        ] {
            assert_eq!(unpack(&bad), None);
        }
    }

    #[test]
    fn a_checksum_is_found_by_the_whole_name() {
        let digits = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        let sums = |line: String| Checksums(format!("{}  other.tar.gz\n{line}\n", "0".repeat(64)));
        for good in [
            format!("{digits}  a.gz"),
            format!("{} *a.gz", digits.to_uppercase()),
        ] {
            assert!(sums(good).check("a.gz", b"hello").is_ok());
        }
        for bad in [
            format!("{digits}  aa.gz"),
            format!("{digits}  a.gz.sig"),
            format!("{}  a.gz", &digits[..32]),
            format!("{}  a.gz", "0".repeat(64)),
            "a.gz".to_owned(),
        ] {
            let told = sums(bad.clone()).check("a.gz", b"hello");
            assert!(matches!(told, Err(UpgradeError::NotGenuine { .. })), "{bad}");
        }
    }

    #[test]
    fn releases_are_found_as_install_sh_finds_them() {
        let key = || KEY.parse::<SignerKey>().unwrap();
        let at = |base: &str| Releases::at(&base.parse().unwrap(), key());
        let beside = |news: &str| Releases::beside(&news.parse().unwrap(), key());
        let directory = |releases: &Releases, version| {
            Ok::<_, String>(
                releases
                    .directory(version)
                    .map_err(|e| e.to_string())?
                    .to_string(),
            )
        };
        for releases in [
            at("https://example.org/gateway/releases").unwrap(),
            at("https://example.org/gateway/releases/").unwrap(),
            beside("https://example.org/gateway/releases/latest/download/notes.json").unwrap(),
        ] {
            let base = "https://example.org/gateway/releases";
            assert_eq!(directory(&releases, None), Ok(format!("{base}/latest/download/")));
            assert_eq!(
                directory(&releases, Some("1.2.3")),
                Ok(format!("{base}/download/v1.2.3/"))
            );
        }
        let flat = beside("https://example.org/notes.json").unwrap();
        assert_eq!(directory(&flat, None).unwrap(), "https://example.org/");
        assert!(directory(&flat, Some("1.2.3")).unwrap_err().contains("NEWS_URL"));
        for plain in [
            "http://example.org/",
            "ftp://localhost/",
            "http://127.0.0.1.example.org/",
        ] {
            assert!(matches!(at(plain), Err(UpgradeError::Address)), "{plain}");
        }
        assert!(at("http://127.0.0.1:1/").is_ok());
    }
}
