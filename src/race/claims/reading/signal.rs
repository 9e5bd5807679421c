//! What a clause says of the signal: that it arrives, and how old the data is.

use crate::race::claims::items::{MessageItem, measures};
use crate::race::claims::lexicon::Tag;
use crate::race::claims::quantity::Measure;
use crate::race::claims::roles::Roles;
use crate::race::claims::terms::{Mood, State, When};
use crate::race::claims::token::one_of;

fn any(clause: &[MessageItem], words: &str) -> bool {
    clause.iter().any(|item| one_of(&item.words, words))
}

/// Whether a clause speaks of the signal.
pub(super) fn sends(clause: &[MessageItem]) -> bool {
    const SENDERS: &str = "tracker|signal|data|phone|contact|señal|signaux|segnali|segnale|daten|verbindung";
    any(clause, SENDERS)
}

/// Whether a clause says that the signal arrives now: `your signal is coming in live`.
pub(super) fn arrives(clause: &[MessageItem], roles: &Roles) -> bool {
    const SENDERS: &str = "watch|uhr|montre|reloj|orologio|handy|telefon|téléphone|móvil|teléfono|telefono|cellulare|gps|datos|dati|données|livetrack|beacon|balise|baliza|position|posición|posizione|punkte|points|puntos|punti|updates";
    const ARRIVES: &str = "coming|coming in|comes|comes in|arriving|arrives|arrive|arrivent|flowing|streaming|transmitting|transmits|sending|sends|reporting|reports|updating|updates live|works|working|live|in real time|sendet|senden|überträgt|funktioniert|kommt|kommen|kommt an|kommen an|fonctionne|fonctionnent|émet|émettent|transmet|envoie|passe|en direct|llega|llegan|funciona|funcionan|emite|emiten|transmite|envía|en directo|en vivo|arriva|arrivano|funziona|funzionano|trasmette|trasmettono|invia|in diretta|dal vivo";
    const NOT_YET: &str = "late|delayed|verzögert|verspätet|spät|en retard|retard|con retraso|retraso|in ritardo|ritardo|again|wieder|de nouveau|à nouveau|de nuevo|otra vez|di nuovo|until|bis|slowly|only|nur|missing|fehlt|fehlen|manque|falta|manca|gap|gaps|back|zurück|when|once|cuando|quand|quando|sobald|before|bevor|antes|avant|prima|stopped|old|alt";
    let is_now = matches!(roles.when(), None | Some(When::Present | When::Now));
    let is_told = roles.is_silent() || roles.has(Tag::State(State::Heard)) || roles.not();
    let supposes = clause
        .iter()
        .any(|item| item.is(|tag| matches!(tag, Tag::Mood(mood) if *mood != Mood::Advice)));
    (sends(clause) || any(clause, SENDERS))
        && any(clause, ARRIVES)
        && is_now
        && !is_told
        && !supposes
        && !any(clause, NOT_YET)
        && !measures(clause, &[Measure::Distance])
}

/// Whether a clause gives the age of the data: `the data is 14 minutes old`.
pub(super) fn is_data_age(clause: &[MessageItem]) -> bool {
    const DATA: &str = "data|point|points|fix|dot|position|reading|readings|update|signal|daten|datenpunkt|punkt|stand|meldung|données|donnée|relevé|signalement|dato|datos|dati|punto|señal|segnale|posición|posizione|figures|numbers|werte|zahlen|valeurs|valores|valori";
    const OLD: &str = "old|alt|ago|vor|hace|fa|il y a|vieux|vieille|vieilles|vieja|viejo|viejos|vecchio|vecchia|vecchi|antigüedad|remonte|remontent|date|datent|risale|risalgono|stale|fresh";
    any(clause, DATA) && any(clause, OLD) && measures(clause, &[Measure::Duration])
}
