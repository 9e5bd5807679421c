//! Claims of the author to be the athlete: `I passed 10 km`, `mein Puls`, `llevo 46 km`.
//!
//! The author follows the race and does not run it. Its own words remain: `I see you at km 10`, `I count on 1:56`.

use super::Reader;
use crate::race::claims::claim::ClaimBody;
use crate::race::claims::items::{ItemKind, MessageItem, measures};
use crate::race::claims::lexicon::Tag;
use crate::race::claims::quantity::Measure;
use crate::race::claims::roles::Roles;
use crate::race::claims::terms::ClaimMetric;
use crate::race::claims::token::one_of;

/// How a language tells of what the speaker does. All lists are of single words.
struct FirstPerson {
    /// The subject; empty if the verb alone names it.
    subject: &'static str,
    /// Auxiliaries between the subject and the verb.
    auxiliaries: &'static str,
    /// Verbs of racing, which make a claim together with a fact of the race.
    verbs: &'static str,
    /// Words that say where or how the speaker is, after an auxiliary.
    being: &'static str,
}

const VOICES: [FirstPerson; 5] = [
    FirstPerson {
        subject: "i",
        auxiliaries: "ve|have|had|got|m|am|was|been",
        verbs: "run|ran|running|ride|rode|riding|ridden|swim|swam|swimming|swum|walk|walked|walking|stand|stood|standing|stopped|rest|rested|resting|finished|passed|covered|reached|crossed|climbed|climbing|completed|left|rolled|rolling|averaged|averaging|moving|jogged|jogging|cycled|cycling|pedalled|pedalling|descended|descending|paused|pausing|arrived|entered|cleared|clocked|racing|raced|biked|biking|sitting|sat|done|came|went|pulled|racked",
        being: "at|on|in|near|past|through|about|around|roughly|almost|nearly|over|just|exactly|already|now|still|only",
    },
    FirstPerson {
        subject: "ich",
        auxiliaries: "habe|hab|bin|hatte|war",
        verbs: "laufe|lief|gelaufen|renne|rannte|gerannt|fahre|fuhr|gefahren|schwimme|schwamm|geschwommen|stehe|stand|gestanden|raste|gerastet|pausiere|pausiert|passierte|passiert|erreichte|erreicht|schaffte|geschafft|überquerte|überquert|zurückgelegt|absolviert|angehalten|bewältigt|abgespult|beendet|jogge|wandere|marschiere|klettere|trete|gegangen|gemacht|hinter",
        being: "bei|am|an|in|auf|im|schon|jetzt|gerade|noch|etwa|rund|knapp|genau|erst|bereits|nun|aktuell",
    },
    FirstPerson {
        subject: "j|je",
        auxiliaries: "ai|avais|suis|étais|me|m|trouve",
        verbs: "couru|cours|courais|parcouru|passé|passée|franchi|atteint|roulé|roule|roulais|nagé|nage|nageais|marché|marche|avance|avancé|bouclé|terminé|fini|quitté|dépassé|rejoint|avalé|grimpé|grimpe|fait|arrêté|arrêtée|pédale|pédalé",
        being: "à|au|en|sur|dans|arrêté|arrêtée|immobile|debout|déjà|encore|maintenant|toujours|environ|actuellement|près",
    },
    FirstPerson {
        subject: "",
        auxiliaries: "he|estoy|voy|llevo",
        verbs: "corrido|recorrido|pasado|hecho|nadado|llegado|alcanzado|completado|cubierto|rodado|pedaleado|superado|cruzado|terminado|parado|parada|detenido|detenida|caminado|corriendo|pedaleando|nadando|avanzando|corrí|pasé|llegué|alcancé|nadé|rodé|pedaleé|crucé|recorrí|completé|terminé|salí|paré|caminé|superé|corro|avanzo|llevo",
        being: "en|a|por|ya|aún|todavía|ahora|parado|parada|unos|casi",
    },
    FirstPerson {
        subject: "",
        auxiliaries: "ho|avevo|mi|sono",
        verbs: "corso|percorso|passato|fatto|raggiunto|superato|nuotato|pedalato|coperto|completato|lasciato|finito|camminato|attraversato|tagliato|oltrepassato|fermo|ferma|fermato|fermata|corro|corsi|passai|raggiunsi|sto",
        being: "a|al|alla|in|sul|sulla|già|ancora|adesso|ora|fermo|ferma|circa|quasi",
    },
];

/// Words that belong to the auxiliaries and verbs, and so say nothing of their own.
const ADVERBS: &str = "just|already|now|still|only|also|again|so|currently|right|have|been|not|even|jetzt|schon|gerade|noch|bereits|nun|auch|déjà|encore|maintenant|toujours|bien|ya|aún|todavía|ahora|también|già|ancora|adesso|ora|anche";

/// Verbs whose forms no other person shares. They need no auxiliary and no subject.
const OWN_FORMS: &str = "corrí|pasé|llegué|alcancé|nadé|rodé|pedaleé|crucé|recorrí|completé|terminé|salí|paré|caminé|superé|corro|avanzo|llevo|corsi|passai|raggiunsi";

/// Forms that tell by themselves that somebody races or stands.
const STANDS: &str = "standing|resting|sitting|running|riding|swimming|walking|moving|racing|stehe|stand|laufe|fahre|schwimme|renne|cours|roule|nage|arrêté|arrêtée|immobile|debout|parado|parada|detenido|detenida|corriendo|nadando|pedaleando|fermo|ferma|finished";

const WITH_ME: &str = "behind me|ahead of me|in front of me|in my legs|hinter mir|vor mir|in meinen beinen|derrière moi|devant moi|dans mes jambes|detrás de mí|delante de mí|por delante de mí|en mis piernas|davanti a me|dietro di me|alle mie spalle|nelle mie gambe|il me reste|me restent|il me restait|me quedan|me faltan|me restan|me quedaban|mi mancano|mi restano|mi rimangono|mir bleiben|mir fehlen|mir verbleiben";

const MY: &str =
    "my|mein|meine|meinen|meinem|meiner|mon|ma|mes|mi|mis|mio|mia|miei|mie|il mio|la mia|i miei|le mie";

impl Reader<'_> {
    /// A claim of the speaker to race, if a clause makes one.
    pub(super) fn speaker(&mut self, items: &[MessageItem], roles: &Roles) {
        let is_aside = |item: &MessageItem| one_of(&item.words, ASIDES);
        let owns = (0..items.len()).any(|at| {
            let rest = items.get(at + 1..).unwrap_or_default();
            let noun = rest.iter().find(|item| !is_aside(item));
            items.get(at).zip(noun).is_some_and(|(my, noun)| is_own(my, noun))
        });
        let owns = owns && !items.iter().any(is_opinion);
        let words = words_of(items);
        let is_left = has_way(items) && with_me(&words);
        let acts = !items.iter().any(is_addressed) && acts(items, &words, roles);
        // "Llevo 14 minutos sin señal."
        let is_of_signal =
            roles.is_silent() && !measures(items, &[Measure::Distance]) && !items.iter().any(is_spot);
        if owns || (!is_of_signal && (is_left || acts)) {
            self.push(items, roles, ClaimBody::Speaker);
        }
    }
}

fn is_opinion(item: &MessageItem) -> bool {
    one_of(
        &item.words,
        "estimate|guess|forecast|reckoning|calculation|view|opinion|schätzung|rechnung|ansicht|estimation|calcul|avis|cálculo|estimación|opinión|stima|calcolo|parere",
    )
}

/// `my heart rate`
fn is_own(my: &MessageItem, noun: &MessageItem) -> bool {
    let is_value = noun.is(|tag| match tag {
        Tag::Metric(metric) => metric.is_measured() || *metric == ClaimMetric::Stop,
        tag => matches!(tag, Tag::Leg(_)),
    });
    let is_thing = one_of(&noun.words, THINGS);
    // "Ma" is Italian for "but", and "mi" for "me".
    let is_noun = match my.words.as_str() {
        "ma" => one_of(
            &noun.words,
            "fréquence cardiaque|fréquence|cadence|puissance|vitesse|pause|course",
        ),
        "mi" => one_of(
            &noun.words,
            "pulso|ritmo|frecuencia cardíaca|frecuencia|cadencia|potencia|velocidad|corazón|parada|señal|última posición|posición|reloj|última señal",
        ),
        _ => true,
    };
    one_of(&my.words, MY) && (is_value || is_thing) && is_noun
}

/// Whether an item names somebody other than the speaker: `I passed you the bottle`.
fn is_addressed(item: &MessageItem) -> bool {
    // Spanish "he" is the auxiliary of the first person.
    item.kind == ItemKind::Capital || (item.has(Tag::Athlete) && item.words != "he") || item.has(Tag::Reader)
}

/// The single words of a clause, with `#` for each number.
fn words_of(items: &[MessageItem]) -> Vec<&str> {
    let words = items.iter().flat_map(|item| match item.quantity() {
        Some(_) => vec!["#"],
        None => item.words.split([' ', '\'', '’']).collect(),
    });
    words.collect()
}

fn has_way(items: &[MessageItem]) -> bool {
    measures(items, &[Measure::Distance, Measure::Duration])
}

/// `10 km behind me`, `me quedan 10 km`
fn with_me(words: &[&str]) -> bool {
    let text = format!(" {} ", words.join(" "));
    WITH_ME
        .split('|')
        .any(|phrase| text.contains(&format!(" {phrase} ")))
}

fn acts(items: &[MessageItem], words: &[&str], roles: &Roles) -> bool {
    let has_fact = items.iter().any(is_fact);
    VOICES.iter().any(|voice| speaks(voice, words, has_fact, roles))
}

/// A number, a place or a leg that a race has.
fn is_fact(item: &MessageItem) -> bool {
    let is_value = item
        .quantity()
        .is_some_and(|it| it.measures(Measure::Percent).is_none() && it.measures(Measure::Foreign).is_none());
    // "I ran the numbers" names no leg.
    let is_verb = VOICES.iter().any(|voice| one_of(&item.words, voice.verbs));
    let is_leg = item.is(|tag| matches!(tag, Tag::Leg(_) | Tag::OnLeg(_))) && !is_verb;
    is_value || is_leg || is_spot(item) || item.is(|tag| matches!(tag, Tag::Finish | Tag::Here))
}

fn is_spot(item: &MessageItem) -> bool {
    let is_mark = matches!(item.kind, ItemKind::Mark(_) | ItemKind::Stretch(..));
    is_mark || item.is(|tag| matches!(tag, Tag::Place(_)))
}

fn speaks(voice: &FirstPerson, words: &[&str], has_fact: bool, roles: &Roles) -> bool {
    let has_subject = !voice.subject.is_empty();
    let starts = |at: usize| {
        let word = words.get(at).copied().unwrap_or_default();
        if has_subject {
            one_of(word, voice.subject)
        } else {
            one_of(word, voice.auxiliaries) || one_of(word, OWN_FORMS)
        }
    };
    let claims = |at: usize| {
        let rest = words.get(at + usize::from(has_subject)..).unwrap_or_default();
        let is_plain = |word: &&&str| one_of(word, voice.auxiliaries) || one_of(word, ADVERBS);
        let lead = rest.iter().take_while(is_plain).count();
        let helps = rest.iter().take(lead).any(|word| one_of(word, voice.auxiliaries));
        let next = rest.get(lead).copied().unwrap_or_default();
        let after = rest.get(lead + 1).copied().unwrap_or_default();
        // "Seit 6:30 stehe ich": German may put the verb first.
        let before = at
            .checked_sub(1)
            .and_then(|at| words.get(at))
            .copied()
            .unwrap_or_default();
        let is_inverted = voice.subject == "ich" && one_of(before, voice.verbs);
        let helps = helps || (voice.subject == "ich" && one_of(before, voice.auxiliaries));
        // "ich habe 46,3 km geschafft"
        let ends = voice.subject == "ich" && helps && rest.iter().any(|word| one_of(word, voice.verbs));
        let is_verb = one_of(next, voice.verbs) && !is_other(after);
        let is_own = has_subject || helps || one_of(words.get(at).copied().unwrap_or_default(), OWN_FORMS);
        let is_state = is_verb && one_of(next, STANDS) && (after.is_empty() || one_of(after, PLACES));
        let is_there = helps
            && has_fact
            && (next == "#" || one_of(next, voice.being))
            && rest
                .iter()
                .skip(lead)
                .take(5)
                .any(|word| *word == "#" || is_mark(word))
            && (roles.progress().is_some() || roles.sense().is_some() || one_of(next, voice.being))
            && is_being(voice, words, at);
        let first = words.get(at).copied().unwrap_or_default();
        // "Voy a avisarte en el km 12", "llevo desde el km 5 mirando".
        let is_plan = first == "voy" && next == "a" && after != "#";
        let is_other_time = first == "llevo" && next != "#" && !one_of(next, voice.being);
        if is_plan || is_other_time {
            return false;
        }
        let does = (is_verb && is_own) || is_inverted || ends;
        (does && (has_fact || is_state)) || (has_fact && own_form(words, at)) || is_there
    };
    (0..words.len()).any(|at| starts(at) && claims(at))
}

/// Words after which a verb has nothing to do with the race: `I ran out of data`, `I stopped receiving`, `I went through`.
fn is_other(after: &str) -> bool {
    after.ends_with("ing")
        || one_of(
            after,
            "out|numbers|back|over|it|that|calculs|calcul|conti|cuentas|rechnung",
        )
}

fn own_form(words: &[&str], at: usize) -> bool {
    words.get(at).is_some_and(|word| one_of(word, OWN_FORMS))
}

fn is_mark(word: &str) -> bool {
    one_of(
        word,
        "km|kilometre|kilometer|kilomètre|kilómetro|chilometro|mile|bike|rad|vélo|bici|bicicletta",
    )
}

/// Whether the words from `at` say where the speaker is or what it has.
fn is_being(voice: &FirstPerson, words: &[&str], at: usize) -> bool {
    const BE: &str = "m|am|was|bin|war|suis|étais|estoy|voy|sono";
    const HAVE: &str = "ve|have|had|habe|hab|hatte|ai|avais|ho|avevo";
    let near = words
        .get(at.saturating_sub(1)..(at + 4).min(words.len()))
        .unwrap_or_default();
    let is = near.iter().any(|word| one_of(word, BE));
    let has = near.iter().any(|word| one_of(word, HAVE));
    // An Italian "sono" may also be "they are".
    let leads = !voice.subject.is_empty() || at <= 1;
    let is_way = words.iter().any(|word| one_of(word, WAYS));
    (is && leads) || (has && is_way)
}

/// Words that make a distance one of the race: `I have 10 km left`.
const WAYS: &str = "left|done|behind|covered|ahead|remaining|geschafft|hinter|vor|übrig|derrière|devant|restants|por|delante|detrás|davanti|dietro|spalle";

/// Words after a state that the speaker is in.
const PLACES: &str = "now|right|at|still|along|again|well|here|in|on|for|since|jetzt|gerade|hier|am|bei|seit|maintenant|ici|à|au|depuis|ahora|aquí|en|desde|adesso|ora|qui|a|al|da|#";

/// What else belongs to one who races.
const THINGS: &str = "signal|position|last position|letzte position|dernière position|última posición|ultima posizione|señal|última señal|posición|segnale|posizione|watch|uhr|montre|reloj|orologio|legs|beine|jambes|piernas|gambe";

/// Words between a possessive and what is owned.
const ASIDES: &str = "last|current|own|average|mean|aktueller|aktuelle|aktuellen|letzter|letzte|letzten|durchschnittlicher|dernier|dernière|última|último|ultima|ultimo";
