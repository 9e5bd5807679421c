//! The texts of a person's own page, each with its name. Every language must have all of them. A name in braces is a
//! placeholder for a value.

use super::failures::TitledWords;

/// The person's own page in one language.
#[derive(Debug)]
pub(in crate::web) struct MeWords {
    pub(in crate::web) title: &'static str,
    pub(in crate::web) lead: &'static str,
    /// The time zone if only its offset is known.
    pub(in crate::web) offset_zone: &'static str,
    pub(in crate::web) broken: TitledWords,
    pub(in crate::web) broken_link: &'static str,
    pub(in crate::web) apps: MeAppWords,
    pub(in crate::web) history: MeHistoryWords,
    pub(in crate::web) grants: MeGrantWords,
    pub(in crate::web) groups: MeGroupWords,
    pub(in crate::web) races: MeRaceWords,
    pub(in crate::web) phone: MePhoneWords,
    pub(in crate::web) settings: MeSettingWords,
    pub(in crate::web) data: MeDataWords,
    pub(in crate::web) close: &'static str,
    pub(in crate::web) signed_in: &'static str,
    pub(in crate::web) done: MeDoneWords,
    pub(in crate::web) refused: MeRefusedWords,
    pub(in crate::web) closed: MeClosedWords,
}

#[derive(Debug)]
pub(in crate::web) struct MeAppWords {
    pub(in crate::web) heading: &'static str,
    pub(in crate::web) none: &'static str,
    pub(in crate::web) reads: &'static str,
    pub(in crate::web) changes: &'static str,
    pub(in crate::web) times: &'static str,
    pub(in crate::web) end: &'static str,
    pub(in crate::web) end_and_close: &'static str,
    /// What the button does, for screen readers, which read it without the row beside it.
    pub(in crate::web) end_label: &'static str,
}

#[derive(Debug)]
pub(in crate::web) struct MeHistoryWords {
    pub(in crate::web) heading: &'static str,
    pub(in crate::web) on: &'static str,
    pub(in crate::web) off: &'static str,
    pub(in crate::web) confirm: &'static str,
    pub(in crate::web) switch_on: &'static str,
    pub(in crate::web) switch_off: &'static str,
    pub(in crate::web) troubles: MeTroubleWords,
}

/// Why no days can be fetched, and what to do.
#[derive(Debug)]
pub(in crate::web) struct MeTroubleWords {
    pub(in crate::web) sign_in: &'static str,
    pub(in crate::web) pause: &'static str,
    pub(in crate::web) unreachable: &'static str,
    pub(in crate::web) refused: &'static str,
    pub(in crate::web) changed: &'static str,
    pub(in crate::web) worker: &'static str,
    pub(in crate::web) not_stored: &'static str,
}

/// Who may see what, with the form that lets somebody see data.
#[derive(Debug)]
pub(in crate::web) struct MeGrantWords {
    pub(in crate::web) heading: &'static str,
    pub(in crate::web) none: &'static str,
    pub(in crate::web) given: &'static str,
    pub(in crate::web) take_back: &'static str,
    pub(in crate::web) take_back_label: &'static str,
    pub(in crate::web) held_heading: &'static str,
    pub(in crate::web) held: &'static str,
    pub(in crate::web) held_broken: &'static str,
    pub(in crate::web) form: &'static str,
    pub(in crate::web) form_lead: &'static str,
    pub(in crate::web) who: &'static str,
    pub(in crate::web) who_hint: &'static str,
    pub(in crate::web) what: &'static str,
    pub(in crate::web) until: &'static str,
    pub(in crate::web) until_hint: &'static str,
    pub(in crate::web) name: &'static str,
    pub(in crate::web) name_hint: &'static str,
    pub(in crate::web) submit: &'static str,
}

/// The groups of data, each with its name within a list, and what it shows.
#[derive(Debug)]
pub(in crate::web) struct MeGroupWords {
    pub(in crate::web) activities: TitledWords,
    pub(in crate::web) training: TitledWords,
    pub(in crate::web) steps: TitledWords,
    pub(in crate::web) sleep: TitledWords,
    pub(in crate::web) heart: TitledWords,
    pub(in crate::web) body: TitledWords,
    pub(in crate::web) races: TitledWords,
    pub(in crate::web) everything: TitledWords,
}

/// The links to pages of races, with the form that makes one.
#[derive(Debug)]
pub(in crate::web) struct MeRaceWords {
    pub(in crate::web) heading: &'static str,
    pub(in crate::web) none: &'static str,
    pub(in crate::web) no_link: &'static str,
    pub(in crate::web) for_family: &'static str,
    pub(in crate::web) for_crew: &'static str,
    pub(in crate::web) named: &'static str,
    pub(in crate::web) others: &'static str,
    pub(in crate::web) ends_at: &'static str,
    pub(in crate::web) ends_after: &'static str,
    pub(in crate::web) end: &'static str,
    pub(in crate::web) take_off: &'static str,
    pub(in crate::web) take_nameless_off: &'static str,
    pub(in crate::web) form: &'static str,
    pub(in crate::web) whom: &'static str,
    pub(in crate::web) family: &'static str,
    pub(in crate::web) family_hint: &'static str,
    pub(in crate::web) crew: &'static str,
    pub(in crate::web) crew_hint: &'static str,
    pub(in crate::web) name: &'static str,
    pub(in crate::web) name_hint: &'static str,
    pub(in crate::web) with: &'static str,
    pub(in crate::web) with_hint: &'static str,
    pub(in crate::web) submit: &'static str,
    pub(in crate::web) made: &'static str,
}

#[derive(Debug)]
pub(in crate::web) struct MePhoneWords {
    pub(in crate::web) heading: &'static str,
    pub(in crate::web) personal: &'static str,
    pub(in crate::web) of_operator: &'static str,
    pub(in crate::web) nowhere: &'static str,
    pub(in crate::web) at_broker: &'static str,
    pub(in crate::web) chat: &'static str,
    pub(in crate::web) chat_hint: &'static str,
    pub(in crate::web) topic: &'static str,
    pub(in crate::web) topic_hint: &'static str,
    pub(in crate::web) set: &'static str,
    pub(in crate::web) remove: &'static str,
}

#[derive(Debug)]
pub(in crate::web) struct MeSettingWords {
    pub(in crate::web) heading: &'static str,
    pub(in crate::web) zone: &'static str,
    pub(in crate::web) zone_hint: &'static str,
    pub(in crate::web) set_zone: &'static str,
    pub(in crate::web) mails: &'static str,
    pub(in crate::web) mails_hint: &'static str,
    pub(in crate::web) set_mails: &'static str,
    pub(in crate::web) tools: &'static str,
    pub(in crate::web) suggested: &'static str,
    pub(in crate::web) few: &'static str,
    pub(in crate::web) few_hint: &'static str,
    pub(in crate::web) all: &'static str,
    pub(in crate::web) own: &'static str,
    pub(in crate::web) names: &'static str,
    pub(in crate::web) names_hint: &'static str,
    pub(in crate::web) set_tools: &'static str,
    pub(in crate::web) charts: &'static str,
    pub(in crate::web) charts_on: &'static str,
    pub(in crate::web) charts_off: &'static str,
    pub(in crate::web) switch_charts_on: &'static str,
    pub(in crate::web) switch_charts_off: &'static str,
}

/// The download of a person's data, and its deletion.
#[derive(Debug)]
pub(in crate::web) struct MeDataWords {
    pub(in crate::web) heading: &'static str,
    pub(in crate::web) export: &'static str,
    pub(in crate::web) download: &'static str,
    pub(in crate::web) forget: &'static str,
    pub(in crate::web) forget_lead: &'static str,
    pub(in crate::web) confirm: &'static str,
}

/// What was done with the last form.
#[derive(Debug)]
pub(in crate::web) struct MeDoneWords {
    pub(in crate::web) app_ended: &'static str,
    pub(in crate::web) history_on: &'static str,
    pub(in crate::web) history_off: &'static str,
    pub(in crate::web) phone_set: &'static str,
    pub(in crate::web) phone_removed: &'static str,
    pub(in crate::web) time_zone_set: &'static str,
    pub(in crate::web) mails_set: &'static str,
    pub(in crate::web) charts_on: &'static str,
    pub(in crate::web) charts_off: &'static str,
    pub(in crate::web) grant_given: &'static str,
    pub(in crate::web) grant_withdrawn: &'static str,
    pub(in crate::web) share_ended: &'static str,
    pub(in crate::web) athlete_off: &'static str,
    pub(in crate::web) race_joined: &'static str,
    pub(in crate::web) tools_set: &'static str,
}

/// Why the last form changed nothing.
#[derive(Debug)]
pub(in crate::web) struct MeRefusedWords {
    /// Stands at a secret, which the page does not send back.
    pub(in crate::web) type_again: &'static str,
    pub(in crate::web) page_over: &'static str,
    pub(in crate::web) app_gone: &'static str,
    pub(in crate::web) erase_unconfirmed: &'static str,
    pub(in crate::web) forget_unconfirmed: &'static str,
    pub(in crate::web) zone: &'static str,
    pub(in crate::web) tool_names: &'static str,
    pub(in crate::web) no_tool: &'static str,
    pub(in crate::web) stands_alone: &'static str,
    pub(in crate::web) no_mail_address: &'static str,
    pub(in crate::web) many_mail_addresses: &'static str,
    pub(in crate::web) taken_mail_address: &'static str,
    pub(in crate::web) mailbox_address: &'static str,
    pub(in crate::web) race_gone: &'static str,
    pub(in crate::web) no_race_link: &'static str,
    pub(in crate::web) on_race_link: &'static str,
    pub(in crate::web) full_race_link: &'static str,
    pub(in crate::web) many_race_links: &'static str,
    pub(in crate::web) grant_gone: &'static str,
    pub(in crate::web) no_member: &'static str,
    pub(in crate::web) own_email: &'static str,
    pub(in crate::web) unknown_email: &'static str,
    pub(in crate::web) shared_email: &'static str,
    pub(in crate::web) too_many: &'static str,
    pub(in crate::web) no_group: &'static str,
    pub(in crate::web) unknown_group: &'static str,
    pub(in crate::web) no_day: &'static str,
    pub(in crate::web) wrong_day: &'static str,
    pub(in crate::web) past_day: &'static str,
    pub(in crate::web) far_day: &'static str,
    pub(in crate::web) no_name: &'static str,
    pub(in crate::web) long_name: &'static str,
    pub(in crate::web) odd_name: &'static str,
    pub(in crate::web) profile_name: &'static str,
    pub(in crate::web) taken_name: &'static str,
    pub(in crate::web) phone: MePhoneRefusedWords,
}

/// Why a phone was not set.
#[derive(Debug)]
pub(in crate::web) struct MePhoneRefusedWords {
    pub(in crate::web) empty: &'static str,
    pub(in crate::web) chat_shape: &'static str,
    pub(in crate::web) topic_shape: &'static str,
    pub(in crate::web) no_channel: &'static str,
    pub(in crate::web) too_soon: &'static str,
    pub(in crate::web) unknown_chat: &'static str,
    pub(in crate::web) closed_topic: &'static str,
    pub(in crate::web) not_in_group: &'static str,
    pub(in crate::web) not_started: &'static str,
    pub(in crate::web) protected_topic: &'static str,
    pub(in crate::web) later: &'static str,
    pub(in crate::web) of_operator: &'static str,
}

/// The messages after which the page is closed.
#[derive(Debug)]
pub(in crate::web) struct MeClosedWords {
    pub(in crate::web) signed_out: TitledWords,
    pub(in crate::web) open_again: &'static str,
    pub(in crate::web) app_ended: TitledWords,
    pub(in crate::web) sign_in_again: &'static str,
    pub(in crate::web) forgotten: TitledWords,
    pub(in crate::web) remove_connector: &'static str,
    pub(in crate::web) garmin_stays: &'static str,
}
