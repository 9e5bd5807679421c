//! Reads the few values that are needed from the widget's pages.
//!
//! The pages are forms with hidden inputs and inline variables, and each value is found by name. There is no HTML
//! parser: an unexpected page is reported as changed, not repaired.

/// The text of `<title>`, trimmed.
pub(super) fn title(page: &str) -> Option<&str> {
    let after = page.split_once("<title")?.1.split_once('>')?.1;
    Some(after.split_once("</title")?.0.trim())
}

/// The value of the `<input>` with this name.
pub(super) fn input(page: &str, name: &str) -> Option<String> {
    tags(page, "<input")
        .find(|tag| attribute(tag, "name") == Some(name))
        .and_then(|tag| {
            let value = attribute(tag, "value").unwrap_or_default();
            Some(unescape(value)).filter(|value| !value.is_empty())
        })
}

/// Whether there is an `<input>` with this name, filled or not.
pub(super) fn has_input(page: &str, name: &str) -> bool {
    tags(page, "<input").any(|tag| attribute(tag, "name") == Some(name))
}

/// The value of an inline script variable: `var name = "value"`, or `name: 'value'`. `None` when absent or empty.
pub(super) fn variable(page: &str, name: &str) -> Option<String> {
    page.match_indices(name).find_map(|(at, _)| {
        let before = page.get(..at)?.chars().next_back();
        if before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.') {
            return None;
        }
        let rest = page
            .get(at + name.len()..)?
            .trim_start_matches(['"', '\''])
            .trim_start();
        let rest = rest.strip_prefix(['=', ':'])?.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let value = rest.get(1..)?.split(quote).next()?;
        (!value.is_empty()).then(|| value.to_owned())
    })
}

/// The service ticket in a link such as `embed?ticket=ST-0123-abc-sso`.
pub(super) fn ticket(page: &str) -> Option<String> {
    page.match_indices("ticket=").find_map(|(at, mark)| {
        let rest = page.get(at + mark.len()..)?;
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.'))?;
        let ticket = rest.get(..end)?;
        (ticket.starts_with("ST-") && ticket.len() > 3).then(|| ticket.to_owned())
    })
}

fn tags<'a>(page: &'a str, open: &'static str) -> impl Iterator<Item = &'a str> {
    page.match_indices(open)
        .filter_map(move |(at, _)| page.get(at + open.len()..)?.split('>').next())
}

/// The value of an attribute inside one tag.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.match_indices(name).find_map(|(at, _)| {
        // The whole name must match: `value` is not the end of `data-value`.
        if !tag.get(..at)?.ends_with(|c: char| c.is_ascii_whitespace()) {
            return None;
        }
        let rest = tag
            .get(at + name.len()..)?
            .trim_start()
            .strip_prefix('=')?
            .trim_start();
        match rest.chars().next()? {
            quote @ ('"' | '\'') => rest.get(1..)?.split(quote).next(),
            _ => rest.split(|c: char| c.is_ascii_whitespace() || c == '/').next(),
        }
    })
}

fn unescape(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#x2b;", "+")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles() {
        let check = |page: &str, wanted: Option<&str>| assert_eq!(title(page), wanted, "{page}");
        check("<html><head><title> Success </title>", Some("Success"));
        check("<title data-x=\"1\">A</title>", Some("A"));
        check("<title>never closed", None);
        check("", None);
    }

    #[test]
    fn inputs_in_any_order_and_quoting() {
        let check =
            |page: &str, wanted: Option<&str>| assert_eq!(input(page, "_csrf").as_deref(), wanted, "{page}");
        check(r#"<input type="hidden" name="_csrf" value="a1" />"#, Some("a1"));
        check(r#"<input value="a1" name="_csrf">"#, Some("a1"));
        check("<input name='_csrf' value='a1'>", Some("a1"));
        check("<input name=_csrf value=a1/>", Some("a1"));
        check(
            r#"<input name="other" value="x"><input data-value="no" name="_csrf" value="a&amp;b">"#,
            Some("a&b"),
        );
        check(r#"<input name="_csrf" value="">"#, None);
        check(r#"<input name="x_csrf" value="a1">"#, None);
        check("<input name=", None);
    }

    #[test]
    fn variables_of_inline_scripts() {
        let check = |page: &str, wanted: Option<&str>| {
            assert_eq!(variable(page, "mfaMethod").as_deref(), wanted, "{page}");
        };
        check(r#"<script>var mfaMethod = "email";</script>"#, Some("email"));
        check("mfaMethod:'sms',", Some("sms"));
        check(r#"{"mfaMethod": "totp"}"#, Some("totp"));
        check(r#"var mfaMethod = ""; "#, None);
        check(r#"var lastmfaMethod = "x";"#, None);
        check("if (mfaMethod == other) {}", None);
        check("var mfaMethod", None);
    }

    #[test]
    fn tickets() {
        let check = |page: &str, wanted: Option<&str>| assert_eq!(ticket(page).as_deref(), wanted, "{page}");
        check(
            r#"var response_url = "https://x/sso/embed?ticket=ST-0172640-aBc-cas";"#,
            Some("ST-0172640-aBc-cas"),
        );
        check(r#"<a href="?ticket=ST-1-sso">"#, Some("ST-1-sso"));
        check(r#"<a href="?ticket=XX-1">"#, None);
        check("ticket=ST-", None);
    }
}
