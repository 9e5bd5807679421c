//! Tests of the settings for https.

use super::load;
use crate::config::TlsSettings;

const HOST: (&str, &str) = ("PUBLIC_URL", "https://garmin.example.org");

#[test]
fn https_listens_where_others_can_reach_it() {
    assert_eq!(load(&[]).unwrap().tls, TlsSettings::Off);
    for way in [
        vec![("TLS", "acme"), HOST],
        vec![("TLS_CERT", "/c.pem"), ("TLS_KEY", "/k.pem"), HOST],
    ] {
        let config = load(&way).unwrap();
        assert!(config.tls != TlsSettings::Off);
        assert_eq!(config.bind, "0.0.0.0:443".parse().unwrap());
        assert_eq!(config.http_port, Some(80));
        let shown = config.effective.iter().find(|setting| setting.name == "PORT");
        assert_eq!(shown.unwrap().value, "443");
    }
    let own = [("TLS", "acme"), HOST, ("PORT", "8443"), ("BIND_ADDRESS", "::")];
    let config = load(&own).unwrap();
    assert_eq!(config.bind, "[::]:8443".parse().unwrap());
    assert_eq!(
        config.http_port, None,
        "a router forwards 443, and 80 is not asked for"
    );
    let none = [("TLS", "acme"), HOST, ("HTTP_PORT", "0")];
    assert_eq!(load(&none).unwrap().http_port, None);
    let other = [&own[..], &[("HTTP_PORT", "8080")]].concat();
    assert_eq!(load(&other).unwrap().http_port, Some(8080));
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    for (settings, name) in [
        (vec![("TLS", "acme")], "PUBLIC_URL"),
        (
            vec![("TLS", "acme"), ("PUBLIC_URL", "https://192.0.2.7")],
            "PUBLIC_URL",
        ),
        (
            vec![("TLS", "acme"), ("PUBLIC_URL", "https://[2001:db8::7]")],
            "PUBLIC_URL",
        ),
        (vec![("TLS", "on"), HOST], "TLS"),
        (vec![("TLS", "acme"), HOST, ("TLS_CERT", "/c.pem")], "TLS"),
        (vec![("TLS_CERT", "/c.pem"), HOST], "TLS_CERT"),
        (vec![("TLS_KEY", "/k.pem"), HOST], "TLS_KEY"),
        (vec![("HTTP_PORT", "80")], "HTTP_PORT"),
        (vec![("TLS", "acme"), HOST, ("HTTP_PORT", "443")], "HTTP_PORT"),
        (
            vec![("TLS", "acme"), HOST, ("ACME_DIRECTORY", "acme")],
            "ACME_DIRECTORY",
        ),
    ] {
        let problems = load(&settings).unwrap_err();
        assert_eq!(problems.len(), 1, "{settings:?}: {problems:?}");
        assert_eq!(problems[0].name, name, "{problems:?}");
    }
}
