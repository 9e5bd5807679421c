//! What the pages say in German when something fails.

use super::super::failures::{FailureWords, NoticeWords, ProblemWords, RefusalWords, StepWords, TitledWords};

pub(super) static WORDS: FailureWords = FailureWords {
    notices: NoticeWords {
        no_email: "Gib die E-Mail-Adresse deines Garmin-Kontos ein.",
        no_password: "Gib das Passwort deines Garmin-Kontos ein.",
        not_kept: "Garmin hat dich angemeldet, aber das Gateway konnte das nicht speichern. Versuch es in einer Minute noch einmal. Wenn es wieder nicht klappt, frag {operator}.",
        wrong: "Diese E-Mail und dieses Passwort wurden nicht angenommen. Prüf beides auf connect.garmin.com, denn nach zu vielen Fehlversuchen sperrt Garmin das Konto. Wenn es dort klappt, frag {operator}, ob diese Adresse eingeladen ist.",
        locked: "Garmin hat dieses Konto gesperrt. Melde dich auf connect.garmin.com an, folge den Schritten dort (oft ein neues Passwort) und komm dann zurück.",
        restricted: "Garmin lässt dieses Konto sich hier nicht anmelden, wie bei Kinder- und Familienkonten. Nimm ein anderes Garmin-Konto.",
        captcha: "Garmin verlangt ein Captcha, das sich hier nicht lösen lässt. Garmin hat nicht gesagt, dass dein Passwort falsch ist. Das geht vorbei: Versuch es in ein paar Stunden wieder, und nicht öfter.",
        limited_until: "Garmin begrenzt gerade die Anmeldungen von diesem Gateway. Garmin hat nicht gesagt, dass dein Passwort falsch ist. Du kannst es {after} wieder versuchen.",
        limited: "Garmin begrenzt gerade die Anmeldungen von diesem Gateway. Garmin hat nicht gesagt, dass dein Passwort falsch ist. Versuch es in ein paar Stunden wieder.",
        too_many_today: "Mit dieser E-Mail gab es heute zu viele Anmeldungen. Damit Garmin das Konto nicht sperrt, geht die nächste erst {after}.",
        after: "nach {time} UTC am {date}",
        busy: "Gerade melden sich andere an, und bei Garmin geht nur eine Anmeldung nach der anderen. An Garmin wurde nichts geschickt. Versuch es in einer Minute wieder.",
        not_a_code: "Ein Code von Garmin hat nur Ziffern, meistens sechs. An Garmin wurde nichts geschickt. Gib den Code noch einmal ein.",
        wrong_code: "Garmin hat diesen Code nicht angenommen. Nimm den neuesten, den du bekommen hast.",
        last_wrong_code: "Garmin hat auch diesen Code nicht angenommen. Fang von vorn an, um einen neuen zu bekommen.",
        code_over: "Diese Anmeldung nimmt keinen Code mehr an. Fang von vorn an, dann schickt Garmin einen neuen.",
        tokens_refused: "Garmin hat dein Passwort angenommen, aber Garmins Datendienst weist die Anmeldung ab. Das liegt an Garmin, nicht an deinem Passwort. Versuch es noch einmal: Das Gateway nimmt dann einen anderen Weg.",
        no_access_given: "Garmin hat dein Passwort angenommen, diesem Gateway aber keinen Zugang gegeben. An deinem Passwort liegt es nicht. Wende dich an {operator}: Garmin hat das Ticket abgelehnt, vielleicht braucht das Gateway ein Update.",
        temporary: "Die Anmeldung bei Garmin funktioniert im Moment nicht. Garmin hat nicht gesagt, dass dein Passwort falsch ist. Versuch es in ein paar Minuten wieder.",
        unreachable: "Das Gateway konnte Garmin nicht erreichen, dein Passwort wurde also nicht geprüft. Versuch es in ein paar Minuten wieder. Wenn es so bleibt, wende dich an {operator}.",
        not_understood: "Garmin hat die Anfrage des Gateways nicht verstanden. Das liegt am Gateway, nicht an deinem Passwort. Wende dich an {operator}: Das Gateway braucht ein Update.",
        unexplained: "Garmin hat die Anmeldung ohne Begründung abgelehnt (Status {status}). Das heißt nicht, dass dein Passwort falsch ist. Versuch es später wieder.",
        changed: "Garmin hat seine Anmeldung geändert, und dieses Gateway versteht die Antwort nicht ({path}). An deinem Passwort liegt es nicht. Wende dich an {operator}: Das Gateway braucht ein Update.",
        exhausted: "Keiner der Wege, sich bei Garmin anzumelden, hat funktioniert. Garmin hat nicht gesagt, dass dein Passwort falsch ist. Versuch es in ein paar Stunden wieder, und nicht öfter.",
    },
    refusals: RefusalWords {
        malformed: TitledWords {
            title: "Dieser Anmeldelink ist nicht vollständig",
            text: "Das Programm, das dich hierher geschickt hat, hat einen Fehler gemacht. Fang dort noch einmal an; wenn es wieder passiert, sag denen Bescheid, die es gemacht haben.",
        },
        unknown_client: TitledWords {
            title: "Diese Verbindung ist nicht mehr bekannt",
            text: "Dieses Gateway kennt das Programm nicht, das dich hierher geschickt hat. Entferne dort den Konnektor und füge ihn wieder hinzu; dann stellt es sich neu vor. Es wurde nichts geändert.",
        },
        unreadable_client: TitledWords {
            title: "Das Programm konnte nicht erkannt werden",
            text: "Die Beschreibung des Programms, das dich hierher geschickt hat, ließ sich nicht von {host} lesen. Warte eine Minute und versuch es von dort noch einmal. Wenn es so bleibt, wende dich an {operator}. Es wurde nichts geändert.",
        },
        astray: "Diese Anmeldung würde nicht zu Claude zurückführen",
        foreign_host: "Sie wurde zu deinem Schutz gestoppt: Sie würde zu einer Website führen, die hier nicht erlaubt ist. Wenn du ihr vertraust, bitte {operator}, sie zu erlauben. Es wurde nichts verschickt.",
        foreign_app: "Sie wurde zu deinem Schutz gestoppt: Sie würde zu einer App führen, die hier nicht erlaubt ist. Wenn du ihr vertraust, bitte {operator}, sie zu erlauben. Es wurde nichts verschickt.",
        bad_redirect: "Sie wurde zu deinem Schutz gestoppt: Die Adresse, zu der sie zurückführen soll, ist nicht brauchbar. Es wurde nichts verschickt.",
        other_redirect: "Sie wurde zu deinem Schutz gestoppt: Die Adresse, zu der sie zurückführen soll, hat das Programm nicht angemeldet. Entferne den Konnektor in Claude und füge ihn wieder hinzu. Es wurde nichts verschickt.",
        not_yours: TitledWords {
            title: "Auf dieser Seite geht es nicht weiter",
            text: "Sie war zu lange offen, wurde in einem anderen Browser begonnen, oder das Gateway wurde neu gestartet; außerdem braucht sie Cookies. An Garmin wurde nichts mehr geschickt, und ein Code von Garmin, den du noch nicht eingegeben hast, gilt nicht mehr.",
        },
        out_of_tries: TitledWords {
            title: "Das war ein Versuch zu viel",
            text: "Damit dein Garmin-Konto nicht gesperrt wird, ist hier Schluss. Warte eine Weile, und prüf dein Passwort auf connect.garmin.com, bevor du neu beginnst.",
        },
        too_many_clicks: TitledWords {
            title: "Die Anmeldung läuft noch",
            text: "Diese Anmeldung läuft noch, und der Knopf wurde mehrmals gedrückt. Warte eine Minute und geh dann zurück zu Claude. Wenn es bis dahin nicht verbunden ist, verbinde neu.",
        },
        no_room: TitledWords {
            title: "Zu viele Anmeldungen auf einmal",
            text: "Aus deinem Netz laufen hier gerade viele Anmeldungen. An Garmin wurde nichts geschickt. Warte eine Minute, geh dann zurück zu Claude und verbinde neu.",
        },
        withdrawn: TitledWords {
            title: "Diese Anmeldung wurde beendet",
            text: "Sie wurde hier beendet, oder es wurde geändert, wer das Gateway nutzen darf, während du dich angemeldet hast. Es wurde nichts verbunden. Frag {operator}, ob du noch eingeladen bist, und verbinde dann neu von Claude aus.",
        },
        finished: TitledWords {
            title: "Diese Anmeldung ist abgeschlossen",
            text: "Auf dieser Seite ist nichts mehr zu tun. Geh zurück zu Claude; wenn Claude noch nach der Verbindung fragt, fang dort an.",
        },
        cancelled: TitledWords {
            title: "Es wurde nichts geändert",
            text: "Du hast dich nicht angemeldet. Was du früher verbunden hast, bleibt, wie es ist; du kannst diese Seite schließen.",
        },
        internal: TitledWords {
            title: "Das Gateway hat ein Problem",
            text: "Es kommt im Moment nicht an seine eigenen Daten. An Garmin wurde nichts geschickt. Versuch es in einer Minute wieder; wenn es so bleibt, wende dich an {operator}.",
        },
    },
    problems: ProblemWords {
        unreadable: "Das ließ sich nicht lesen",
        underscore: "Ein Header-Name hat einen Unterstrich. Wahrscheinlich hat ihn ein Proxy zwischen dir und diesem Gateway eingefügt.",
        doubled: "Ein Header, den es nur einmal geben darf, kommt zweimal. Wahrscheinlich hat ihn ein Proxy zwischen dir und diesem Gateway eingefügt.",
        not_text: "Ein Header enthält Zeichen, die dort nicht erlaubt sind.",
        too_large: "Die Anfrage ist größer, als dieses Gateway annimmt.",
        cut_off: "Die Verbindung brach ab, bevor die ganze Anfrage da war.",
        not_a_form: "Diese Adresse liest nur Formulare (application/x-www-form-urlencoded).",
        bad_form: "Ein Feld des Formulars fehlt oder kam zweimal.",
        method: "Diese Adresse kennt diese Methode nicht.",
        too_slow: TitledWords {
            title: "Das hat zu lange gedauert",
            text: "Die Verbindung war zu langsam und wurde geschlossen. Es wurde nichts geändert.",
        },
        cross_site: TitledWords {
            title: "Das kam von einer anderen Website",
            text: "Das Formular kam von einer Seite, die nicht zu diesem Gateway gehört. Es wurde nichts damit gemacht.",
        },
        wrong_host: TitledWords {
            title: "Das ist nicht die Adresse des Gateways",
            text: "Das Gateway wurde unter einem anderen Namen als seinem eigenen aufgerufen, also fragt es hier nicht nach einem Passwort.",
        },
        broken: TitledWords {
            title: "Hier ist etwas kaputtgegangen",
            text: "Der Fehler liegt am Gateway, nicht an dir. Sein Protokoll hat die Einzelheiten.",
        },
        spent_code: TitledWords {
            title: "Dieser Link öffnet deine Seite nicht mehr",
            text: "Ein Link öffnet die Seite einmal, innerhalb von zehn Minuten, und ein neuerer ersetzt ihn. Es wurde nichts geändert.",
        },
        page_closed: TitledWords {
            title: "Deine Seite ist geschlossen",
            text: "Sie schließt sich nach einer halben Stunde, wenn du sie in irgendeinem Tab schließt, und wenn die App, die sie geöffnet hat, keinen Zugang mehr hat. Es wurde nichts geändert.",
        },
        too_many: TitledWords {
            title: "Das war zu oft",
            text: "Aus deinem Netz kamen in kurzer Zeit viele Formulare. Es wurde nichts geändert. Warte eine Minute.",
        },
    },
    steps: StepWords {
        go_back: "Geh zurück zu der App, aus der du kommst, und verbinde dort neu.",
        add_again: "Wenn das nicht hilft, entferne dort den Konnektor und füge ihn wieder hinzu: {origin}/mcp",
        begin_again: "Fang neu an: {address}",
        open_instead: "Öffne stattdessen {origin}",
        tell_operator: "Wenn dich jemand an diese Adresse geschickt hat, wende dich an {operator}.",
        ask_claude: "Bitte Claude, deine Seite zu öffnen; dann bekommst du einen neuen Link.",
        sign_in_at: "Oder melde dich bei Garmin an: {origin}/me",
        wait: "Warte eine Minute und versuch es noch einmal.",
    },
};
