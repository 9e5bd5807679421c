//! What the pages say in Italian when something fails.

use super::super::failures::{FailureWords, NoticeWords, ProblemWords, RefusalWords, StepWords, TitledWords};

pub(super) static WORDS: FailureWords = FailureWords {
    notices: NoticeWords {
        no_email: "Scrivi l’indirizzo e-mail del tuo account Garmin.",
        no_password: "Scrivi la password del tuo account Garmin.",
        not_kept: "Garmin ha accettato il tuo accesso, ma il gateway non è riuscito a salvarlo. Riprova tra un minuto. Se non va ancora, avvisa {operator}.",
        wrong: "Questa e-mail e questa password non sono state accettate. Controllale su connect.garmin.com, perché troppi errori bloccano un account. Se lì funzionano, chiedi a {operator} se questo indirizzo è invitato.",
        locked: "Garmin ha bloccato questo account. Accedi su connect.garmin.com, segui i passi indicati (spesso una nuova password) e poi torna qui.",
        restricted: "Garmin non permette a questo account di accedere qui, come succede con gli account per bambini e famiglie. Usa un altro account Garmin.",
        captcha: "Garmin chiede un captcha, che qui non si può risolvere. Garmin non ha detto che la tua password è sbagliata. Passerà: riprova tra qualche ora, e non più spesso.",
        limited_until: "Garmin sta limitando gli accessi da questo gateway. Garmin non ha detto che la tua password è sbagliata. Puoi riprovare {after}.",
        limited: "Garmin sta limitando gli accessi da questo gateway. Garmin non ha detto che la tua password è sbagliata. Riprova tra qualche ora.",
        too_many_today: "Oggi ci sono stati troppi accessi con questa e-mail. Perché Garmin non blocchi l’account, il prossimo sarà possibile {after}.",
        after: "dopo le {time} UTC del {date}",
        busy: "In questo momento altre persone stanno accedendo, e a Garmin si accede uno alla volta. A Garmin non è stato inviato nulla. Riprova tra un minuto.",
        not_a_code: "Un codice di Garmin ha solo cifre, di solito sei. A Garmin non è stato inviato nulla. Scrivi di nuovo il codice.",
        wrong_code: "Garmin non ha accettato questo codice. Usa il più recente che hai ricevuto.",
        last_wrong_code: "Garmin non ha accettato nemmeno questo codice. Ricomincia per riceverne uno nuovo.",
        code_over: "Questo accesso non accetta più codici. Ricomincia, e Garmin ne invierà uno nuovo.",
        tokens_refused: "Garmin ha accettato la tua password, ma il suo servizio dati rifiuta l’accesso. Il problema è di Garmin, non della tua password. Prova ancora una volta: il gateway userà un’altra strada.",
        no_access_given: "Garmin ha accettato la tua password, ma non ha dato accesso a questo gateway. Il problema non è la tua password. Avvisa {operator}: Garmin ha rifiutato il ticket, forse il gateway va aggiornato.",
        temporary: "L’accesso a Garmin in questo momento non funziona. Garmin non ha detto che la tua password è sbagliata. Riprova tra qualche minuto.",
        unreachable: "Il gateway non è riuscito a raggiungere Garmin, quindi la tua password non è stata controllata. Riprova tra qualche minuto. Se continua, avvisa {operator}.",
        not_understood: "Garmin non ha capito la richiesta del gateway. Il problema è del gateway, non della tua password. Avvisa {operator}: il gateway va aggiornato.",
        unexplained: "Garmin ha rifiutato l’accesso senza un motivo (stato {status}). Non vuol dire che la tua password è sbagliata. Riprova più tardi.",
        changed: "Garmin ha cambiato il suo accesso, e questo gateway non capisce la risposta ({path}). Il problema non è la tua password. Avvisa {operator}: il gateway va aggiornato.",
        exhausted: "Nessuno dei modi per accedere a Garmin ha funzionato. Garmin non ha detto che la tua password è sbagliata. Riprova tra qualche ora, e non più spesso.",
    },
    refusals: RefusalWords {
        malformed: TitledWords {
            title: "Questo link di accesso è incompleto",
            text: "Il programma che ti ha mandato qui ha fatto un errore. Ricomincia da lì; se succede ancora, avvisa chi l’ha fatto.",
        },
        unknown_client: TitledWords {
            title: "Questo collegamento non è più conosciuto",
            text: "Questo gateway non conosce il programma che ti ha mandato qui. Togli lì il connettore e aggiungilo di nuovo; così si presenterà da capo. Non è cambiato nulla.",
        },
        unreadable_client: TitledWords {
            title: "Non è stato possibile identificare il programma",
            text: "La descrizione del programma che ti ha mandato qui non si è potuta leggere da {host}. Aspetta un minuto e riprova da lì. Se continua, avvisa {operator}. Non è cambiato nulla.",
        },
        astray: "Questo accesso non riporterebbe a Claude",
        foreign_host: "È stato fermato per proteggerti: porterebbe a un sito che qui non è permesso. Se ti fidi di quel sito, chiedi a {operator} di permetterlo. Non è stato inviato nulla.",
        foreign_app: "È stato fermato per proteggerti: porterebbe a un’app che qui non è permessa. Se ti fidi dell’app, chiedi a {operator} di permetterla. Non è stato inviato nulla.",
        bad_redirect: "È stato fermato per proteggerti: l’indirizzo di ritorno non si può usare. Non è stato inviato nulla.",
        other_redirect: "È stato fermato per proteggerti: l’indirizzo di ritorno non è quello registrato dal programma. Togli il connettore in Claude e aggiungilo di nuovo. Non è stato inviato nulla.",
        not_yours: TitledWords {
            title: "Questa pagina non può andare avanti",
            text: "È rimasta aperta troppo a lungo, è stata iniziata in un altro browser o il gateway è stato riavviato; inoltre ha bisogno dei cookie. A Garmin non è stato inviato altro, e un codice di Garmin che non hai ancora inserito non vale più.",
        },
        out_of_tries: TitledWords {
            title: "Un tentativo di troppo",
            text: "Perché il tuo account Garmin non venga bloccato, questa pagina si ferma qui. Aspetta un po’, e controlla la password su connect.garmin.com prima di ricominciare.",
        },
        too_many_clicks: TitledWords {
            title: "Accesso ancora in corso",
            text: "Questo accesso è ancora in corso, e il pulsante è stato premuto più volte. Aspetta un minuto, poi torna a Claude. Se ancora non è collegato, collega di nuovo.",
        },
        no_room: TitledWords {
            title: "Troppi accessi insieme",
            text: "Dalla tua rete ci sono molti accessi in corso su questo gateway. A Garmin non è stato inviato nulla. Aspetta un minuto, poi torna a Claude e collega di nuovo.",
        },
        withdrawn: TitledWords {
            title: "Questo accesso è stato interrotto",
            text: "È stato interrotto qui, o è cambiato chi può usare il gateway, mentre stavi accedendo. Non è stato collegato nulla. Chiedi a {operator} se l’invito vale ancora, poi collega di nuovo da Claude.",
        },
        finished: TitledWords {
            title: "Questo accesso è concluso",
            text: "Su questa pagina non c’è più nulla da fare. Torna a Claude; se ti chiede ancora di collegarti, comincia da lì.",
        },
        cancelled: TitledWords {
            title: "Non è cambiato nulla",
            text: "Non hai effettuato l’accesso. Quello che avevi collegato resta com’è; puoi chiudere questa pagina.",
        },
        internal: TitledWords {
            title: "Il gateway ha un problema",
            text: "In questo momento non riesce a raggiungere i propri dati. A Garmin non è stato inviato nulla. Riprova tra un minuto; se continua, avvisa {operator}.",
        },
    },
    problems: ProblemWords {
        unreadable: "Non si è potuto leggere",
        underscore: "Il nome di un’intestazione ha un trattino basso. Probabilmente l’ha aggiunto un proxy tra te e questo gateway.",
        doubled: "Un’intestazione che può comparire una volta sola compare due volte. Probabilmente l’ha aggiunta un proxy tra te e questo gateway.",
        not_text: "Un’intestazione contiene caratteri che lì non sono permessi.",
        too_large: "La richiesta è più grande di quanto questo gateway accetti.",
        cut_off: "La connessione si è interrotta prima che arrivasse tutta la richiesta.",
        not_a_form: "Questo indirizzo legge solo moduli (application/x-www-form-urlencoded).",
        bad_form: "Un campo del modulo manca o è arrivato due volte.",
        method: "Questo indirizzo non accetta quel metodo.",
        too_slow: TitledWords {
            title: "Ci è voluto troppo",
            text: "La connessione era troppo lenta ed è stata chiusa. Non è cambiato nulla.",
        },
        cross_site: TitledWords {
            title: "Veniva da un altro sito",
            text: "Il modulo è stato inviato da una pagina che non è di questo gateway. Non ne è stato fatto nulla.",
        },
        wrong_host: TitledWords {
            title: "Questo non è l’indirizzo del gateway",
            text: "Il gateway è stato raggiunto con un nome che non è il suo, quindi qui non chiede nessuna password.",
        },
        broken: TitledWords {
            title: "Qui si è rotto qualcosa",
            text: "Il problema è del gateway, non tuo. I dettagli sono nel suo registro.",
        },
        spent_code: TitledWords {
            title: "Questo link non apre più la tua pagina",
            text: "Un link apre la pagina una volta, entro dieci minuti, e uno più nuovo lo sostituisce. Non è cambiato nulla.",
        },
        page_closed: TitledWords {
            title: "La tua pagina è chiusa",
            text: "Si chiude dopo mezz’ora, quando la chiudi in una scheda qualsiasi, o quando l’app che l’ha aperta perde l’accesso. Non è cambiato nulla.",
        },
        too_many: TitledWords {
            title: "Troppe volte",
            text: "Dalla tua rete sono arrivati molti moduli in poco tempo. Non è cambiato nulla. Aspetta un minuto.",
        },
    },
    steps: StepWords {
        go_back: "Torna all’app da cui vieni e ricomincia a collegare.",
        add_again: "Se non basta, togli lì il connettore e aggiungilo di nuovo: {origin}/mcp",
        begin_again: "Ricomincia da {address}",
        open_instead: "Apri invece {origin}",
        tell_operator: "Se ti hanno dato questo indirizzo, avvisa {operator}.",
        ask_claude: "Chiedi a Claude di aprire la tua pagina, per avere un nuovo link.",
        sign_in_at: "Oppure accedi a Garmin su {origin}/me",
        wait: "Aspetta un minuto e riprova.",
    },
};
