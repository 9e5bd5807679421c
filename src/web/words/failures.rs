//! The texts about failures, each with its name. Every language must have all of them. A name in braces is a
//! placeholder for a value.

/// What fails while a person signs in, in one language.
#[derive(Debug)]
pub(in crate::web) struct FailureWords {
    pub(in crate::web) notices: NoticeWords,
    pub(in crate::web) refusals: RefusalWords,
    pub(in crate::web) problems: ProblemWords,
    pub(in crate::web) steps: StepWords,
}

/// Why the last try failed. The page lets the person try again.
#[derive(Debug)]
pub(in crate::web) struct NoticeWords {
    pub(in crate::web) no_email: &'static str,
    pub(in crate::web) no_password: &'static str,
    pub(in crate::web) not_kept: &'static str,
    /// A wrong password and a missing invitation read the same, so the text names both.
    pub(in crate::web) wrong: &'static str,
    pub(in crate::web) locked: &'static str,
    pub(in crate::web) restricted: &'static str,
    pub(in crate::web) captcha: &'static str,
    pub(in crate::web) limited_until: &'static str,
    pub(in crate::web) limited: &'static str,
    pub(in crate::web) too_many_today: &'static str,
    pub(in crate::web) after: &'static str,
    pub(in crate::web) busy: &'static str,
    pub(in crate::web) not_a_code: &'static str,
    pub(in crate::web) wrong_code: &'static str,
    pub(in crate::web) last_wrong_code: &'static str,
    pub(in crate::web) code_over: &'static str,
    pub(in crate::web) tokens_refused: &'static str,
    pub(in crate::web) no_access_given: &'static str,
    pub(in crate::web) temporary: &'static str,
    pub(in crate::web) unreachable: &'static str,
    pub(in crate::web) not_understood: &'static str,
    pub(in crate::web) unexplained: &'static str,
    pub(in crate::web) changed: &'static str,
    pub(in crate::web) exhausted: &'static str,
}

/// The words of the pages that say why a sign-in stops.
#[derive(Debug)]
pub(in crate::web) struct RefusalWords {
    pub(in crate::web) malformed: TitledWords,
    pub(in crate::web) unknown_client: TitledWords,
    pub(in crate::web) unreadable_client: TitledWords,
    /// The title of the next four refusals.
    pub(in crate::web) astray: &'static str,
    pub(in crate::web) foreign_host: &'static str,
    pub(in crate::web) foreign_app: &'static str,
    pub(in crate::web) bad_redirect: &'static str,
    pub(in crate::web) other_redirect: &'static str,
    pub(in crate::web) not_yours: TitledWords,
    pub(in crate::web) out_of_tries: TitledWords,
    pub(in crate::web) too_many_clicks: TitledWords,
    pub(in crate::web) no_room: TitledWords,
    pub(in crate::web) withdrawn: TitledWords,
    pub(in crate::web) finished: TitledWords,
    pub(in crate::web) cancelled: TitledWords,
    pub(in crate::web) internal: TitledWords,
}

/// Requests that the web server itself refuses.
#[derive(Debug)]
pub(in crate::web) struct ProblemWords {
    /// The title of the problems below that have no title of their own.
    pub(in crate::web) unreadable: &'static str,
    pub(in crate::web) underscore: &'static str,
    pub(in crate::web) doubled: &'static str,
    pub(in crate::web) not_text: &'static str,
    pub(in crate::web) too_large: &'static str,
    pub(in crate::web) cut_off: &'static str,
    pub(in crate::web) not_a_form: &'static str,
    pub(in crate::web) bad_form: &'static str,
    pub(in crate::web) method: &'static str,
    pub(in crate::web) too_slow: TitledWords,
    pub(in crate::web) cross_site: TitledWords,
    pub(in crate::web) wrong_host: TitledWords,
    pub(in crate::web) broken: TitledWords,
    pub(in crate::web) spent_code: TitledWords,
    pub(in crate::web) page_closed: TitledWords,
    pub(in crate::web) too_many: TitledWords,
}

/// What a person can do next.
#[derive(Debug)]
pub(in crate::web) struct StepWords {
    pub(in crate::web) go_back: &'static str,
    pub(in crate::web) add_again: &'static str,
    pub(in crate::web) begin_again: &'static str,
    pub(in crate::web) open_instead: &'static str,
    pub(in crate::web) tell_operator: &'static str,
    pub(in crate::web) ask_claude: &'static str,
    pub(in crate::web) sign_in_at: &'static str,
    pub(in crate::web) wait: &'static str,
}

/// A message: its title, and what happened and what to do.
#[derive(Debug)]
pub(in crate::web) struct TitledWords {
    pub(in crate::web) title: &'static str,
    pub(in crate::web) text: &'static str,
}
