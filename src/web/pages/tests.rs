//! Every page with its samples: in five languages, with ordinary text and with an attack in every field.

mod refused;
mod samples;

use std::path::Path;

use self::samples::{Sampler, in_language, own_pages, plain, samples};
use super::*;
use crate::web::words::SiteWords;

#[test]
fn hostile_text_stays_text() {
    let payloads = ["<script", "<img", "</title><", "onerror=alert(1)>", "\"'>"];
    for words in SiteWords::all() {
        let hostile = Sampler { words, attacks: true };
        for ((name, clean), (_, attacked)) in samples(in_language(words)).into_iter().zip(samples(hostile)) {
            assert!(
                attacked.contains("&#60;script&#62;"),
                "{name}: the attack is shown, escaped"
            );
            for payload in payloads {
                assert!(!attacked.contains(payload), "{name}: {payload} got through");
            }
            // Escaped text opens no element and no attribute, so the markup is the same.
            for mark in ['<', '"'] {
                let n_marks = |page: &str| page.matches(mark).count();
                assert_eq!(n_marks(&attacked), n_marks(&clean), "{name}: {mark}");
            }
        }
    }
}

/// The sentences of the table that have no placeholder.
fn sentences(words: &SiteWords) -> Vec<String> {
    let table = format!("{words:?}");
    let texts = table.split('"').skip(1).step_by(2).map(str::to_owned);
    texts
        .filter(|text| text.split(' ').count() > 2 && !text.contains('{'))
        .collect()
}

#[test]
fn every_page_speaks_one_language() {
    let english = sentences(SiteWords::english());
    let mut seen = 0;
    for words in SiteWords::all() {
        let pages = samples(in_language(words));
        for (name, page) in &pages {
            let html = format!("<html lang=\"{}\">", words.code);
            assert!(page.contains(&html), "{name} in {}", words.code);
            let found = english.iter().filter(|sentence| page.contains(*sentence)).count();
            if words.code == "en" {
                seen += found;
            } else {
                assert_eq!(found, 0, "{name} in {} has a sentence in English", words.code);
            }
            let text = page.replace(STYLE, "");
            assert!(
                !text.contains(['{', '}']),
                "{name} in {}: a name is left",
                words.code
            );
        }
    }
    assert!(seen > 150, "the sentences are found where they belong: {seen}");
}

/// Each other language is offered once: by a link, or by a button that posts the form with what was typed.
#[test]
fn the_languages_are_offered_without_losing_what_was_typed() {
    for words in SiteWords::all() {
        let of = in_language(words);
        let (_, landing) = Landing::samples(of).swap_remove(0);
        let (_, form) = SignInTemplate::samples(of).swap_remove(0);
        let (_, code) = MfaTemplate::samples(of).swap_remove(0);
        for other in SiteWords::all() {
            let is_other = other.code != words.code;
            let (name, other) = (other.name, other.code);
            let link = format!(r#"<a href="?a=b&#38;lang={other}" lang="{other}""#);
            assert_eq!(landing.contains(&link), is_other, "{other}");
            for (page, id) in [(&form, SignInTemplate::FORM), (&code, MfaTemplate::FORM)] {
                assert!(page.contains(&format!(r#"id="{id}""#)));
                let button = format!(
                    r#"form="{id}" name="language" value="{other}" lang="{other}" formnovalidate>{name}<"#
                );
                assert_eq!(page.contains(&button), is_other, "{other}");
            }
        }
        let carried = format!(r#"name="lang" value="{}""#, words.code);
        assert_eq!(form.matches(&carried).count(), 2, "in both forms");
        for (name, page) in own_pages(of) {
            let n_forms = page.matches("<form").count();
            assert_eq!(
                page.matches(&carried).count(),
                n_forms,
                "{name}: every form carries it"
            );
        }
        let messages = MessagePage::samples(of);
        assert!(!messages[0].1.contains("languages\""), "it was posted");
    }
}

#[test]
fn the_landing_page_names_nobody() {
    for words in SiteWords::all() {
        for (name, page) in Landing::samples(in_language(words)) {
            assert!(!page.contains("Ada") && !page.contains("mailto:"), "{name}");
            assert!(page.contains("garmin.example.org/mcp"), "{name}");
        }
        let n_sentences = words.landing.lead.matches(". ").count() + 1;
        assert!((3..=4).contains(&n_sentences), "{}", words.code);
    }
}

#[test]
fn a_page_asks_for_nothing_from_outside() {
    for (name, page) in samples(plain()) {
        let style = format!("<style>{STYLE}</style>");
        assert!(
            page.contains(&style),
            "{name}: the style is inlined byte for byte, as its hash promises"
        );
        let markup = page.replace(&style, "");
        for forbidden in [
            "<script",
            "style=",
            "onclick",
            "<img",
            "<iframe",
            "src=",
            "@import",
            "javascript:",
        ] {
            assert!(!markup.contains(forbidden), "{name}: {forbidden}");
        }
        for link in markup.split("href=\"").skip(1) {
            let target = link.split('"').next().unwrap();
            assert!(
                target.starts_with('/')
                    || target.starts_with('?')
                    || target.starts_with('#')
                    || target.starts_with("mailto:"),
                "{name}: {target}"
            );
        }
    }
    assert!(!STYLE.contains("url("), "the style sheet loads nothing");
}

#[test]
fn fields_are_what_password_managers_and_phones_look_for() {
    let (_, page) = SignInTemplate::samples(plain()).swap_remove(0);
    for part in [
        r#"<input type="email" id="email" name="email" value="" autocomplete="username""#,
        r#"<input type="password" id="password" name="password" autocomplete="current-password""#,
        r#"name="access" value="read_only" checked"#,
        r#"<input type="hidden" name="step" value="credentials">"#,
        r#"<input type="hidden" name="step" value="deny">"#,
        r#"<form method="post" action="/authorize" id="sign-in""#,
    ] {
        assert!(page.contains(part), "{part}");
    }
    let (_, code) = MfaTemplate::samples(plain()).swap_remove(0);
    assert!(code.contains(r#"inputmode="numeric" autocomplete="one-time-code""#));
}

#[test]
fn a_failed_try_is_tied_to_its_fields() {
    let pages = SignInTemplate::samples(plain());
    let page = |name| {
        let (_, page) = pages.iter().find(|(known, _)| *known == name).unwrap();
        page.replace(STYLE, "")
    };
    let wrong = page("sign-in-refused");
    assert!(wrong.contains("<title>Problem: Connect Garmin to Claude"));
    assert!(wrong.contains(r#"required aria-invalid="true" aria-describedby="password-problem">"#));
    assert!(
        wrong.contains(r#"aria-describedby="password-problem password-hint" aria-invalid="true" autofocus"#)
    );
    assert!(wrong.contains(r#"id="password-problem" role="alert">This e-mail and password"#));
    assert!(wrong.contains("2 tries are left on this page.</p>"));
    assert!(
        wrong.contains(r#"value="read_and_change" checked"#),
        "the choice is kept"
    );
    assert!(wrong.contains(r#"value="ada@example.org""#), "the e-mail is kept");
    let password = page("sign-in-no-password");
    assert!(password.contains(r#"id="password-problem" role="alert">Type the password"#));
    assert_eq!(password.matches(r#"aria-invalid="true""#).count(), 1);
    let email = page("sign-in-no-email");
    assert!(email.contains(r#"aria-invalid="true" aria-describedby="email-problem" autofocus"#));
    assert!(email.contains(r#"id="email-problem" role="alert">Type the e-mail address"#));
    let other = page("sign-in-changed");
    assert!(other.contains(r#"id="problem" role="alert" tabindex="-1" autofocus"#));
    assert!(!other.contains("aria-invalid"), "no field can mend it");
    let (_, code) = &MfaTemplate::samples(plain())[1];
    assert!(code.contains(r#"aria-describedby="problem code-hint tries" aria-invalid="true""#));
    assert!(code.contains(r#"id="problem" role="alert">Garmin did not accept this code."#));
}

/// `cargo test --lib pages -- --ignored` writes every sample to `target/pages`, for inspection.
#[test]
#[ignore = "for eyes: writes the samples to target/pages"]
fn write_samples() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pages");
    std::fs::create_dir_all(&directory).unwrap();
    for (name, page) in samples(plain()) {
        std::fs::write(directory.join(name).with_extension("html"), page).unwrap();
    }
}
