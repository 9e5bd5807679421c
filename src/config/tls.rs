//! How https is served: by a reverse proxy in front of the gateway, or by the gateway itself.

use std::path::PathBuf;

use url::{Host, Url};

use super::hosts::any_url;
use super::public_url::PublicUrl;
use super::reader::SettingsReader;
use super::settings;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsSettings {
    /// The gateway speaks plain http, to a reverse proxy or to this machine.
    Off,
    /// PEM files that another program renews.
    Files { certificate: PathBuf, key: PathBuf },
    /// A certificate from an ACME authority (RFC 8555).
    Acme(AcmeSettings),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcmeSettings {
    /// The URL of the authority's directory document.
    pub directory: Url,
    /// The PEM file of the authority that signed the directory server's certificate; `None`: one that the system
    /// trusts.
    pub root: Option<PathBuf>,
}

impl TlsSettings {
    /// Reads the settings. With TLS, `PORT` and `BIND_ADDRESS` get defaults that other machines can reach.
    pub(super) fn read(reader: &mut SettingsReader<'_>) -> Self {
        let acme = reader.optional(&settings::TLS, |text| match text {
            "acme" => Ok(()),
            other => Err(format!("{other} is not a way to get a certificate")),
        });
        let certificate = reader.string(&settings::TLS_CERT).map(PathBuf::from);
        let key = reader.string(&settings::TLS_KEY).map(PathBuf::from);
        let directory = reader.get(&settings::ACME_DIRECTORY, any_url);
        let root = reader.string(&settings::ACME_ROOT).map(PathBuf::from);
        let tls = match (acme, certificate, key) {
            (None, None, None) => return Self::Off,
            (Some(()), None, None) => Self::Acme(AcmeSettings { directory, root }),
            (None, Some(certificate), Some(key)) => Self::Files { certificate, key },
            (Some(()), ..) => {
                let what = "a certificate is set as well";
                reader.problem_with(&settings::TLS, what, "remove TLS, or remove TLS_CERT and TLS_KEY");
                return Self::Off;
            }
            (None, Some(_), None) => {
                reader.problem_with(
                    &settings::TLS_CERT,
                    "its private key is not named",
                    "set TLS_KEY too",
                );
                return Self::Off;
            }
            (None, None, Some(_)) => {
                reader.problem_with(
                    &settings::TLS_KEY,
                    "its certificate is not named",
                    "set TLS_CERT too",
                );
                return Self::Off;
            }
        };
        reader.replace_default(&settings::BIND_ADDRESS, "0.0.0.0");
        reader.replace_default(&settings::PORT, "443");
        tls
    }

    /// The port where plain http is redirected to https. If https is on port 443, the default is port 80.
    pub(super) fn http_port(&self, reader: &mut SettingsReader<'_>, https_port: u16) -> Option<u16> {
        if *self != Self::Off && https_port == 443 {
            reader.replace_default(&settings::HTTP_PORT, "80");
        }
        let port = u16::try_from(reader.number(&settings::HTTP_PORT)).unwrap_or_default();
        let problem = match port {
            0 => return None,
            _ if *self == Self::Off => "the gateway does not serve https, so there is nothing to redirect to",
            port if port == https_port => "PORT is the same",
            port => return Some(port),
        };
        let fix = "remove it, or set TLS=acme and another PORT";
        reader.problem_with(&settings::HTTP_PORT, problem, fix);
        None
    }

    /// Reports a public URL that can't be served with these settings.
    pub(super) fn check(&self, reader: &mut SettingsReader<'_>, url: &PublicUrl) {
        if *self == Self::Off {
            return;
        }
        let fix = "set it to the https address that Claude uses, such as https://garmin.example.org";
        if !url.is_https() {
            reader.problem_with(
                &settings::PUBLIC_URL,
                "the gateway is set to serve https, but this is http",
                fix,
            );
        } else if matches!(self, Self::Acme(_)) && !matches!(Host::parse(url.host()), Ok(Host::Domain(_))) {
            let what = "no authority issues a certificate for it: it is not a host name";
            reader.problem_with(&settings::PUBLIC_URL, what, fix);
        }
    }
}
