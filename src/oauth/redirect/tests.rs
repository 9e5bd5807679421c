use proptest::prelude::*;

use super::fence::RedirectFence;
use super::*;

fn fence() -> RedirectFence {
    RedirectFence::new(&["tools.example.org".into(), "myapp://oauth/callback".into()])
}

#[test]
fn dcr_redirect_fence_lets_in_claude_loopback_and_what_the_operator_added() {
    for uri in [
        "https://claude.ai/api/mcp/auth_callback",
        "https://claude.com/api/mcp/auth_callback",
        "http://localhost/callback",
        "http://localhost:54321/callback",
        "http://localhost:3000",
        "http://127.0.0.1:6276/oauth/callback",
        "http://[::1]:8080/callback",
        "https://localhost:8443/callback",
        "https://tools.example.org/cb?app=1",
        "https://tools.example.org:8443/cb",
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "https://vscode.dev/redirect",
        "https://insiders.vscode.dev/redirect",
        "https://chatgpt.com/connector_platform_oauth_redirect",
        "https://chatgpt.com/connector/oauth/Ab12_x-9",
        "myapp://oauth/callback",
    ] {
        assert_eq!(fence().admit(uri).map(|u| u.raw), Ok(uri.to_owned()));
    }
}

#[test]
fn look_alikes_are_refused() {
    use RedirectProblem::{Extra, ForeignApp, ForeignHost, Malformed, Scheme};
    for (uri, problem) in [
        ("", Malformed),
        ("/callback", Malformed),
        ("//claude.ai/api/mcp/auth_callback", Malformed),
        ("javascript:alert(1)", Scheme),
        ("javascript://claude.ai/api/mcp/%0aalert(1)", Scheme),
        ("data:text/html,x", Scheme),
        ("file:///etc/passwd", Scheme),
        ("https://chatgpt.com/", ForeignHost),
        (
            "https://chatgpt.com/connector_platform_oauth_redirect/x",
            ForeignHost,
        ),
        ("https://chatgpt.com/connector/oauth", ForeignHost),
        ("https://chatgpt.com:8443/connector/oauth/x", ForeignHost),
        ("https://chatgpt.com.evil.example/connector/oauth/x", ForeignHost),
        ("https://chat.chatgpt.com/connector/oauth/x", ForeignHost),
        ("cursor://callback", ForeignApp),
        ("cursor://anysphere.cursor-mcp/oauth/callback/", ForeignApp),
        ("cursor://anysphere.cursor-mcp/oauth/callback?x=1", ForeignApp),
        ("cursor://anysphere.cursor-mcp.evil/oauth/callback", ForeignApp),
        ("cursor://evil@anysphere.cursor-mcp/oauth/callback", Extra),
        ("cursor:oauth/callback", Scheme),
        ("cursor:///oauth/callback", Scheme),
        ("CURSOR://anysphere.cursor-mcp/oauth/callback", Malformed),
        ("vscode://vscode.dev/redirect", ForeignApp),
        ("https://vscode.dev/redirect?x=1", ForeignHost),
        ("https://vscode.dev/", ForeignHost),
        ("https://evil.vscode.dev/redirect", ForeignHost),
        ("http://vscode.dev/redirect", Scheme),
        ("myapp://oauth/callback2", ForeignApp),
        ("myapp://oauth", ForeignApp),
        ("vbscript://x/y", Scheme),
        ("http://claude.ai/api/mcp/auth_callback", Scheme),
        ("http://127.0.0.2/callback", Scheme),
        ("http://localhost.evil.example/callback", Scheme),
        ("http://localhost@evil.example/callback", Extra),
        ("http://[::ffff:127.0.0.1]/callback", Malformed),
        ("http://0/callback", Malformed),
        ("http://127.1/callback", Malformed),
        ("http://2130706433/callback", Malformed),
        ("HTTPS://claude.ai/api/mcp/auth_callback", Malformed),
        ("https://CLAUDE.ai/api/mcp/auth_callback", Malformed),
        ("https://claude.ai:443/api/mcp/auth_callback", Malformed),
        ("https://claude.ai:8443/api/mcp/auth_callback", ForeignHost),
        ("https://claude.ai./api/mcp/auth_callback", ForeignHost),
        ("https://claude.ai/", ForeignHost),
        ("https://claude.ai/public/artifacts/evil", ForeignHost),
        ("https://claude.ai/api/mcp/../../evil", Malformed),
        ("https://claude.ai/api/mcp/%2e%2e/%2e%2e/evil", Malformed),
        ("https://claude.ai\\@evil.example/api/mcp/", Malformed),
        ("https://claude.ai%2eevil.example/api/mcp/", Malformed),
        (
            "https://claude.ai.evil.example/api/mcp/auth_callback",
            ForeignHost,
        ),
        ("https://evil.claude.ai/api/mcp/auth_callback", ForeignHost),
        ("https://claude.ai@evil.example/api/mcp/", Extra),
        ("https://user:pw@claude.ai/api/mcp/auth_callback", Extra),
        ("https://@claude.ai/api/mcp/auth_callback", Malformed),
        ("https://claude.ai/api/mcp/auth_callback#", Extra),
        ("https://claude.ai/api/mcp/auth_callback#x", Extra),
        ("https://claude.ai/api/mcp/auth_callback\n", Malformed),
        ("https://claude.ai/api/mcp/auth\tcallback", Malformed),
        (" https://claude.ai/api/mcp/auth_callback", Malformed),
        ("https://claude.ai/api/mcp/auth callback", Malformed),
        ("https://claude.ai\u{0}/api/mcp/auth_callback", Malformed),
        // A Cyrillic a, in both spellings.
        ("https://cl\u{430}ude.ai/api/mcp/auth_callback", Malformed),
        ("https://xn--clude-3ve.ai/api/mcp/auth_callback", ForeignHost),
        ("https://tools.example.org.evil.example/", ForeignHost),
        ("https:claude.ai/api/mcp/auth_callback", Malformed),
        ("https:///claude.ai/api/mcp/auth_callback", Malformed),
        (
            "https://claude.ai/api/mcp/auth_callback?iss=https://evil.example",
            Extra,
        ),
        ("http://localhost/callback?st%61te=x", Extra),
    ] {
        assert_eq!(fence().admit(uri).map(|u| u.raw), Err(problem), "{uri}");
    }
    let long = format!("https://tools.example.org/{}", "a".repeat(MAX_BYTES));
    assert_eq!(fence().admit(&long).err(), Some(Malformed));
}

#[test]
fn redirect_match_is_exact_except_for_the_loopback_port() {
    for (registered, requested, same) in [
        (
            "http://localhost/callback",
            "http://localhost:54321/callback",
            true,
        ),
        ("http://localhost:1/callback", "http://localhost:2/callback", true),
        ("http://127.0.0.1/callback", "http://127.0.0.1:9/callback", true),
        ("http://[::1]/callback", "http://[::1]:9/callback", true),
        ("http://localhost:3000", "http://localhost:4000/", true),
        ("http://localhost/callback", "http://127.0.0.1/callback", false),
        ("http://localhost/callback", "http://localhost/callback/", false),
        (
            "http://localhost/callback",
            "http://localhost:1/callback?x=1",
            false,
        ),
        ("http://localhost/callback", "http://localhost:1/other", false),
        ("http://localhost/callback", "https://localhost:1/callback", false),
        (
            "https://localhost:1/callback",
            "https://localhost:2/callback",
            false,
        ),
        (
            "https://tools.example.org/cb",
            "https://tools.example.org:8443/cb",
            false,
        ),
        (
            "https://tools.example.org/cb",
            "https://tools.example.org/cb/",
            false,
        ),
        (
            "https://tools.example.org/cb",
            "https://tools.example.org/cb?",
            false,
        ),
    ] {
        let read = |raw| RedirectUri::parse(raw).unwrap();
        assert_eq!(
            read(registered).admits(&read(requested)),
            same,
            "{registered} {requested}"
        );
    }
}

#[test]
fn what_the_answer_adds_stands_beside_what_the_client_had() {
    let uri = RedirectUri::parse("https://tools.example.org/cb?app=1").unwrap();
    assert_eq!(
        uri.with(&[("code", "a&b=c"), ("state", "x y")]),
        "https://tools.example.org/cb?app=1&code=a%26b%3Dc&state=x+y"
    );
    assert_eq!(uri.host(), "tools.example.org");
    assert_eq!(
        RedirectUri::parse("http://localhost:99/").unwrap().form_action(),
        "http://localhost:99"
    );
    let cursor = RedirectUri::parse("cursor://anysphere.cursor-mcp/oauth/callback").unwrap();
    assert_eq!(
        cursor.with(&[("code", "a&b"), ("state", "x")]),
        "cursor://anysphere.cursor-mcp/oauth/callback?code=a%26b&state=x"
    );
    assert_eq!(cursor.form_action(), "cursor:");
    assert_eq!(cursor.host(), "cursor://anysphere.cursor-mcp");
    assert!(cursor.is_on_this_device() && !cursor.is_loopback());
}

proptest! {
    #[test]
    fn nothing_panics_and_an_admitted_uri_leads_where_it_says(raw in "(https?:/{0,3})?[a-z@:./\\\\%0-9\\[\\]#?]{0,40}") {
        if let Ok(uri) = fence().admit(&raw) {
            let host = uri.url.host_str().unwrap();
            prop_assert!(["claude.ai", "claude.com", "localhost", "127.0.0.1", "[::1]", "tools.example.org"].contains(&host));
            // A second parse, by plain string operations, finds the same host.
            let rest = raw.split_once("://").unwrap().1;
            prop_assert!(rest.starts_with(host));
            prop_assert!(matches!(rest.as_bytes().get(host.len()), None | Some(b'/' | b':' | b'?')));
        }
    }

    #[test]
    fn one_changed_character_is_another_address(at in 0_usize..39, to in "[!-~]") {
        let registered = RedirectUri::parse("https://claude.ai/api/mcp/auth_callback").unwrap();
        let mut raw = registered.raw.clone();
        raw.replace_range(at..=at, &to);
        if let Ok(other) = RedirectUri::parse(&raw) {
            prop_assert_eq!(registered.admits(&other), raw == registered.raw);
        }
    }
}
