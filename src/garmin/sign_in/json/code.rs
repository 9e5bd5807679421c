//! The code on the JSON ways: how it is said to be on its way, how it is sent, and what is said to it.

use serde_json::{Value, json};

use super::super::mfa::{CodeAnswer, Pending};
use super::super::trouble::{changed, is_problem, json_trouble};
use super::{post, status_type, ticket};
use crate::base::secrets::Secret;
use crate::config::GarminHosts;
use crate::garmin::refusal::{SignInMethod, SignInRefusal};
use crate::garmin::wire::{Answer, Ask};

/// How a code gets to the person when the answer does not say.
const DEFAULT_METHOD: &str = "email";

/// What an answer that wants a code says of it.
pub(super) fn pending(way: SignInMethod, answer: &Answer) -> Pending {
    let info = answer
        .json()
        .and_then(|json| json.get("customerMfaInfo").cloned())
        .unwrap_or_default();
    let text = |key: &str| {
        info.get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let method = text("mfaLastMethodUsed").unwrap_or_else(|| DEFAULT_METHOD.to_owned());
    let sent_to = match method.as_str() {
        "email" => text("email"),
        "sms" | "phone" => text("phoneNumber"),
        _ => None,
    };
    Pending::Json { way, method, sent_to }
}

/// The code, sent by the path of `way`, which need not be the one that asked for it.
pub(in crate::garmin::sign_in) fn verify(
    hosts: &GarminHosts,
    way: SignInMethod,
    method: &str,
    code: &Secret,
) -> Ask {
    let path = if way == SignInMethod::Portal {
        "/portal/api/mfa/verifyCode"
    } else {
        "/mobile/api/mfa/verifyCode"
    };
    let body = json!({
        "mfaMethod": method,
        "mfaVerificationCode": code.expose(),
        "rememberMyBrowser": true,
        "reconsentList": [],
        "mfaSetup": false,
    });
    post(hosts, way, path, body)
}

/// What Garmin said to a code.
pub(in crate::garmin::sign_in) fn read_verify(
    hosts: &GarminHosts,
    login_way: SignInMethod,
    answer: &Answer,
) -> CodeAnswer {
    let place = "code verification";
    let Some(kind) = status_type(answer) else {
        return match (answer.status, answer.json()) {
            // A refusal in Garmin's own words, only not in the known form: the code was looked at.
            (400..=403 | 422, Some(_)) if !is_problem(answer) => CodeAnswer::Wrong,
            _ => match json_trouble(place, answer) {
                Some(refusal) => CodeAnswer::NotHeard(refusal),
                None => CodeAnswer::Refused(changed(place, "responseStatus.type")),
            },
        };
    };
    match kind.as_str() {
        "SUCCESSFUL" => match ticket(hosts, login_way, place, answer) {
            Ok(ticket) => CodeAnswer::Ticket(ticket),
            Err(refusal) => CodeAnswer::Refused(refusal),
        },
        "ACCOUNT_LOCKED" => CodeAnswer::Refused(SignInRefusal::AccountLocked),
        "CAPTCHA_REQUIRED" => CodeAnswer::Refused(SignInRefusal::BotChallenge),
        // No source has recorded how a wrong code is named; what is none of the above is one.
        _ => CodeAnswer::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::redeem::Ticket;
    use super::super::super::tests::{answer, hosts};
    use super::super::service;
    use super::super::tests::{JSON, PROBLEM, said};
    use super::*;

    #[test]
    fn a_wanted_code_says_how_it_comes() {
        let check = |info: Value, wanted: (&str, Option<&str>)| {
            let text =
                json!({"responseStatus": {"type": "MFA_REQUIRED"}, "customerMfaInfo": info}).to_string();
            let Pending::Json { method, sent_to, .. } =
                pending(SignInMethod::Mobile, &answer(200, JSON, &text))
            else {
                panic!("a JSON challenge")
            };
            assert_eq!((method.as_str(), sent_to.as_deref()), wanted);
        };
        check(
            json!({"email": "a***@x", "mfaLastMethodUsed": "email"}),
            ("email", Some("a***@x")),
        );
        check(
            json!({"phoneNumber": "***12", "email": "a***@x", "mfaLastMethodUsed": "sms"}),
            ("sms", Some("***12")),
        );
        check(
            json!({"email": "a***@x", "mfaLastMethodUsed": "totp"}),
            ("totp", None),
        );
        check(Value::Null, ("email", None));
    }

    #[test]
    fn what_is_said_to_a_code() {
        let check = |status, content_type, text: &str, wanted: CodeAnswer| {
            assert_eq!(
                read_verify(
                    &hosts(),
                    SignInMethod::Mobile,
                    &answer(status, content_type, text)
                ),
                wanted,
                "{status} {text}"
            );
        };
        let good =
            json!({"responseStatus": {"type": "SUCCESSFUL"}, "serviceTicketId": "ST-1-sso"}).to_string();
        let ticket = Ticket {
            ticket: Secret::new("ST-1-sso"),
            service: service(&hosts(), SignInMethod::Mobile),
        };
        check(200, JSON, &good, CodeAnswer::Ticket(ticket));
        for kind in [
            "INVALID_MFA_CODE",
            "INVALID_USERNAME_PASSWORD",
            "MFA_REQUIRED",
            "ANYTHING",
        ] {
            check(401, JSON, &said(kind), CodeAnswer::Wrong);
        }
        check(403, JSON, r#"{"message":"no"}"#, CodeAnswer::Wrong);
        check(
            200,
            JSON,
            &said("ACCOUNT_LOCKED"),
            CodeAnswer::Refused(SignInRefusal::AccountLocked),
        );
        check(
            429,
            JSON,
            "{}",
            CodeAnswer::NotHeard(SignInRefusal::RateLimited { until: None }),
        );
        check(
            503,
            "text/html",
            "<h1>",
            CodeAnswer::NotHeard(SignInRefusal::Temporary),
        );
        check(
            400,
            PROBLEM,
            "{}",
            CodeAnswer::NotHeard(SignInRefusal::RequestRejected),
        );
        check(
            200,
            JSON,
            &said("SUCCESSFUL"),
            CodeAnswer::Refused(changed("code verification", "serviceTicketId")),
        );
    }
}
