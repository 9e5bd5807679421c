//! What the pages say in English when something fails.

use super::super::failures::{FailureWords, NoticeWords, ProblemWords, RefusalWords, StepWords, TitledWords};

pub(super) static WORDS: FailureWords = FailureWords {
    notices: NoticeWords {
        no_email: "Type the e-mail address of your Garmin account.",
        no_password: "Type the password of your Garmin account.",
        not_kept: "Garmin accepted your sign-in, but the gateway could not save it. Try again in a minute. If it fails again, tell {operator}.",
        wrong: "This e-mail and password were not accepted. Check both at connect.garmin.com, because too many wrong tries lock an account. If they are right there, ask {operator} whether this address is invited.",
        locked: "Garmin has locked this account. Sign in at connect.garmin.com, follow the steps there (often a new password), then come back.",
        restricted: "Garmin does not allow this account to sign in here, as with child and family accounts. Use another Garmin account.",
        captcha: "Garmin asks for a captcha, which cannot be solved here. Garmin did not say that your password is wrong. This passes: try again in a few hours, and not more often.",
        limited_until: "Garmin is limiting sign-ins from this gateway. Garmin did not say that your password is wrong. You can try again {after}.",
        limited: "Garmin is limiting sign-ins from this gateway. Garmin did not say that your password is wrong. Try again in a few hours.",
        too_many_today: "There were too many sign-ins with this e-mail today. To keep Garmin from locking the account, the next one is possible {after}.",
        after: "after {time} UTC on {date}",
        busy: "Other people are signing in at the moment, and sign-ins go to Garmin one at a time. Nothing was sent to Garmin. Try again in a minute.",
        not_a_code: "A code from Garmin has only digits, usually six. Nothing was sent to Garmin. Type the code again.",
        wrong_code: "Garmin did not accept this code. Use the newest one you received.",
        last_wrong_code: "Garmin did not accept this code either. Start again to get a new one.",
        code_over: "This sign-in no longer accepts a code. Start again, and Garmin will send a new one.",
        tokens_refused: "Garmin accepted your password, but its data service refuses the resulting sign-in. The fault is at Garmin, not your password. Try once more: the gateway will use another way to sign in.",
        no_access_given: "Garmin accepted your password, but did not give this gateway access. Your password is not the problem. Tell {operator} that Garmin refused the ticket; the gateway may need an update.",
        temporary: "Garmin’s sign-in is not working at the moment. Garmin did not say that your password is wrong. Try again in a few minutes.",
        unreachable: "The gateway could not reach Garmin, so your password was not checked. Try again in a few minutes. If this continues, tell {operator}.",
        not_understood: "Garmin did not understand the gateway’s request. The fault is in the gateway, not your password. Tell {operator} that the gateway needs an update.",
        unexplained: "Garmin refused the sign-in without giving a reason (status {status}). That does not mean that your password is wrong. Try again later.",
        changed: "Garmin has changed its sign-in, and this gateway does not understand the response ({path}). Your password is not the problem. Tell {operator} that the gateway needs an update.",
        exhausted: "None of Garmin’s ways to sign in worked. Garmin did not say that your password is wrong. Try again in a few hours, and not more often.",
    },
    refusals: RefusalWords {
        malformed: TitledWords {
            title: "This sign-in link is not complete",
            text: "The program that sent you here made a mistake. Start again from there; if it happens again, tell whoever made it.",
        },
        unknown_client: TitledWords {
            title: "This connection is no longer known",
            text: "The program that sent you here is not known to this gateway. Remove the connector there and add it again, so that it registers anew. Nothing was changed.",
        },
        unreadable_client: TitledWords {
            title: "The program could not be identified",
            text: "The description of the program that sent you here could not be read from {host}. Wait a minute, then try again from there. If this continues, tell {operator}. Nothing was changed.",
        },
        astray: "This sign-in would not lead back to Claude",
        foreign_host: "It was stopped to protect you: it would lead to a site that is not allowed here. If you trust that site, ask {operator} to allow it. Nothing was sent anywhere.",
        foreign_app: "It was stopped to protect you: it would lead to an app that is not allowed here. If you trust the app, ask {operator} to allow it. Nothing was sent anywhere.",
        bad_redirect: "It was stopped to protect you: the address to return to can’t be used. Nothing was sent anywhere.",
        other_redirect: "It was stopped to protect you: the address to return to is not one that the program registered. Remove the connector in Claude and add it again. Nothing was sent anywhere.",
        not_yours: TitledWords {
            title: "This page can’t go on",
            text: "It was open for too long, was started in another browser, or the gateway was restarted; it also needs cookies. Nothing more was sent to Garmin, and a code from Garmin that you have not entered yet is no longer good.",
        },
        out_of_tries: TitledWords {
            title: "That was one try too many",
            text: "To keep your Garmin account from being locked, this page stops here. Wait a while, and check your password at connect.garmin.com before you begin again.",
        },
        too_many_clicks: TitledWords {
            title: "Still signing in",
            text: "This sign-in is still under way, and the button was pressed several times. Wait a minute, then go back to Claude. If it is not connected by then, connect again.",
        },
        no_room: TitledWords {
            title: "Too many sign-ins at once",
            text: "Many sign-ins from your network are under way at this gateway. Nothing was sent to Garmin. Wait a minute, then go back to Claude and connect again.",
        },
        withdrawn: TitledWords {
            title: "This sign-in was ended",
            text: "While you were signing in, it was ended here, or the list of people who may use the gateway changed. Nothing was connected. Ask {operator} whether you are still invited, then connect again from Claude.",
        },
        finished: TitledWords {
            title: "This sign-in is finished",
            text: "There is nothing left to do on this page. Go back to Claude; if it still asks you to connect, start there.",
        },
        cancelled: TitledWords {
            title: "Nothing was changed",
            text: "You did not sign in. What you connected before stays as it is; you can close this page.",
        },
        internal: TitledWords {
            title: "The gateway has a problem",
            text: "It can’t reach its own data at the moment. Nothing was sent to Garmin. Try again in a minute; if this continues, tell {operator}.",
        },
    },
    problems: ProblemWords {
        unreadable: "That could not be read",
        underscore: "A header name has an underscore. A proxy between you and this gateway probably added it.",
        doubled: "A header that may appear only once appears twice. A proxy between you and this gateway probably added it.",
        not_text: "A header holds characters that are not allowed there.",
        too_large: "The request is larger than this gateway accepts.",
        cut_off: "The connection broke before the whole request had arrived.",
        not_a_form: "This address accepts only forms (application/x-www-form-urlencoded).",
        bad_form: "A field of the form is missing or was sent twice.",
        method: "This address does not support that method.",
        too_slow: TitledWords {
            title: "That took too long",
            text: "The connection was too slow and was closed. Nothing was changed.",
        },
        cross_site: TitledWords {
            title: "That came from another site",
            text: "The form was sent by a page that is not this gateway’s. Nothing was done with it.",
        },
        wrong_host: TitledWords {
            title: "This is not the gateway’s address",
            text: "The gateway was reached under a name other than its own, so it does not ask for a password here.",
        },
        broken: TitledWords {
            title: "Something broke here",
            text: "The fault is in the gateway, not in what you did. Its log has the details.",
        },
        spent_code: TitledWords {
            title: "This link no longer opens your page",
            text: "A link opens the page once, within ten minutes, and a newer one replaces it. Nothing was changed.",
        },
        page_closed: TitledWords {
            title: "Your page is closed",
            text: "It closes after half an hour, when you close it in any tab, or when the access of the app that opened it ends. Nothing was changed.",
        },
        too_many: TitledWords {
            title: "Too many attempts",
            text: "Too many forms came from your network in a short time. Nothing was changed. Wait a minute.",
        },
    },
    steps: StepWords {
        go_back: "Go back to the app you came from and start connecting again.",
        add_again: "If that does not help, remove the connector there and add it again: {origin}/mcp",
        begin_again: "Begin again at {address}",
        open_instead: "Open {origin} instead.",
        tell_operator: "If somebody sent you to this address, tell {operator}.",
        ask_claude: "Ask Claude to open your page, for a new link.",
        sign_in_at: "Or sign in at Garmin at {origin}/me",
        wait: "Wait a minute, and try again.",
    },
};
