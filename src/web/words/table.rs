//! The texts of the pages, each with its name. Every language must have all of them. A name in braces is a placeholder
//! for a value.

use super::failures::FailureWords;
pub(in crate::web) use super::failures::TitledWords;
use super::me::MeWords;

/// Every word of the pages in one language.
#[derive(Debug)]
pub(in crate::web) struct SiteWords {
    /// The language's code, for `lang` and for the choice.
    pub(in crate::web) code: &'static str,
    /// The language's own name for itself.
    pub(in crate::web) name: &'static str,
    /// A phrase for the person who runs the gateway, used within sentences if no name is known.
    pub(in crate::web) operator: &'static str,
    pub(in crate::web) months: [&'static str; 12],
    pub(in crate::web) first_of_month: &'static str,
    pub(in crate::web) date: &'static str,
    /// A date with its year.
    pub(in crate::web) full_date: &'static str,
    pub(in crate::web) date_and_time: &'static str,
    /// The thousands separator, used in numbers of at least `apart_from_digits` digits.
    pub(in crate::web) thousands: char,
    pub(in crate::web) apart_from_digits: usize,
    pub(in crate::web) frame: FrameWords,
    pub(in crate::web) landing: LandingWords,
    pub(in crate::web) sign_in: SignInWords,
    pub(in crate::web) changes: ChangeWords,
    pub(in crate::web) code_page: CodeWords,
    pub(in crate::web) linked: LinkedWords,
    pub(in crate::web) open_page: OpenWords,
    pub(in crate::web) me: &'static MeWords,
    pub(in crate::web) help: HelpWords,
    pub(in crate::web) failures: &'static FailureWords,
}

/// The words in the header and the footer of every page.
#[derive(Debug)]
pub(in crate::web) struct FrameWords {
    pub(in crate::web) skip: &'static str,
    pub(in crate::web) simulated: [&'static str; 2],
    pub(in crate::web) by: &'static str,
    pub(in crate::web) by_operator: &'static str,
    pub(in crate::web) questions: &'static str,
    pub(in crate::web) imprint: &'static str,
    pub(in crate::web) languages: &'static str,
    pub(in crate::web) problem: &'static str,
}

/// The landing page, first for strangers, then for those who were invited.
#[derive(Debug)]
pub(in crate::web) struct LandingWords {
    pub(in crate::web) title: &'static str,
    pub(in crate::web) missing_title: &'static str,
    pub(in crate::web) missing: TitledWords,
    pub(in crate::web) connector: TitledWords,
    pub(in crate::web) heading: &'static str,
    pub(in crate::web) lead: &'static str,
    pub(in crate::web) address: &'static str,
    pub(in crate::web) address_hint: &'static str,
    pub(in crate::web) connect: &'static str,
    pub(in crate::web) web: &'static str,
    pub(in crate::web) web_steps: [&'static str; 4],
    pub(in crate::web) phone: &'static str,
    pub(in crate::web) phone_steps: [&'static str; 2],
    pub(in crate::web) terminal_add: &'static str,
    pub(in crate::web) terminal_start: &'static str,
    pub(in crate::web) again: &'static str,
    pub(in crate::web) again_why: &'static str,
    pub(in crate::web) again_link: &'static str,
    pub(in crate::web) again_stays: &'static str,
    pub(in crate::web) ask: &'static str,
    pub(in crate::web) questions: [&'static str; 3],
    pub(in crate::web) trust: &'static str,
    pub(in crate::web) seen: &'static str,
    pub(in crate::web) seen_points: [&'static str; 2],
    pub(in crate::web) not_kept: &'static str,
    pub(in crate::web) not_kept_points: [&'static str; 3],
    pub(in crate::web) somebodys_server: &'static str,
}

/// The form for e-mail, password and access.
#[derive(Debug)]
pub(in crate::web) struct SignInWords {
    pub(in crate::web) connect: &'static str,
    pub(in crate::web) again: &'static str,
    pub(in crate::web) own_page: &'static str,
    pub(in crate::web) local: TitledWords,
    pub(in crate::web) verified: &'static str,
    /// The words in front of the host, and those after it.
    pub(in crate::web) unverified: [&'static str; 2],
    pub(in crate::web) own_page_lead: &'static str,
    pub(in crate::web) again_lead: &'static str,
    /// For those who have never connected an app, with the link that follows.
    pub(in crate::web) never: [&'static str; 2],
    pub(in crate::web) account: &'static str,
    pub(in crate::web) email: &'static str,
    pub(in crate::web) password: &'static str,
    pub(in crate::web) password_hint: &'static str,
    pub(in crate::web) may_read: &'static str,
    pub(in crate::web) may_change: &'static str,
    pub(in crate::web) access: &'static str,
    pub(in crate::web) read: &'static str,
    pub(in crate::web) read_hint: &'static str,
    pub(in crate::web) change: &'static str,
    pub(in crate::web) change_hint: &'static str,
    pub(in crate::web) submit_connect: &'static str,
    pub(in crate::web) submit: &'static str,
    pub(in crate::web) do_not_connect: &'static str,
    pub(in crate::web) cancel: &'static str,
    pub(in crate::web) promise: &'static str,
    /// The promises, each with the bold words that begin it.
    pub(in crate::web) promises: [[&'static str; 2]; 4],
    pub(in crate::web) own_page_link: &'static str,
    pub(in crate::web) trust: &'static str,
    pub(in crate::web) trust_name: &'static str,
    pub(in crate::web) one_try: &'static str,
    pub(in crate::web) tries: &'static str,
}

/// What can be changed at Garmin.
#[derive(Debug)]
pub(in crate::web) struct ChangeWords {
    pub(in crate::web) activities: &'static str,
    pub(in crate::web) workouts: &'static str,
    pub(in crate::web) weight: &'static str,
    pub(in crate::web) gear: &'static str,
    pub(in crate::web) blood_pressure: &'static str,
    pub(in crate::web) hydration: &'static str,
    pub(in crate::web) food: &'static str,
    pub(in crate::web) courses: &'static str,
    pub(in crate::web) anything: &'static str,
}

/// The form for the code of the two-step verification.
#[derive(Debug)]
pub(in crate::web) struct CodeWords {
    pub(in crate::web) title: &'static str,
    pub(in crate::web) sent_to: &'static str,
    pub(in crate::web) by_email: &'static str,
    pub(in crate::web) by_phone: &'static str,
    pub(in crate::web) by_app: &'static str,
    pub(in crate::web) somehow: &'static str,
    pub(in crate::web) email_hint: &'static str,
    pub(in crate::web) phone_hint: &'static str,
    pub(in crate::web) app_hint: &'static str,
    pub(in crate::web) somehow_hint: &'static str,
    pub(in crate::web) label: &'static str,
    pub(in crate::web) one_try: &'static str,
    pub(in crate::web) tries: &'static str,
    pub(in crate::web) submit: &'static str,
    pub(in crate::web) why: &'static str,
}

/// What follows a sign-in at `/link`.
#[derive(Debug)]
pub(in crate::web) struct LinkedWords {
    pub(in crate::web) again: WelcomeWords,
    /// For a person who has not connected an app yet.
    pub(in crate::web) first: WelcomeWords,
    pub(in crate::web) again_points: [&'static str; 2],
    /// In front of the connector's address.
    pub(in crate::web) first_point: &'static str,
    pub(in crate::web) password: &'static str,
}

#[derive(Debug)]
pub(in crate::web) struct WelcomeWords {
    pub(in crate::web) heading: &'static str,
    pub(in crate::web) welcome: &'static str,
    pub(in crate::web) lead: &'static str,
    pub(in crate::web) next: &'static str,
}

/// The button that opens a person's own page.
#[derive(Debug)]
pub(in crate::web) struct OpenWords {
    pub(in crate::web) title: &'static str,
    pub(in crate::web) lead: &'static str,
    pub(in crate::web) submit: &'static str,
}

/// What stands below every message.
#[derive(Debug)]
pub(in crate::web) struct HelpWords {
    pub(in crate::web) steps: &'static str,
    pub(in crate::web) reference: &'static str,
    /// In front of a sentence in English for the maker of a program.
    pub(in crate::web) technical: &'static str,
}
