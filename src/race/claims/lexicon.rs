//! The words that a claim is made of, in English, German, French, Spanish and Italian.
//!
//! A phrase is matched word by word, the longest first. Hyphens within words and apostrophes are left out, so that
//! `cut-off` is two words and `you're` is `you re`.

use std::sync::LazyLock;

use super::claim::{Bound, ClaimMetric, ClaimStat, Mood, Progress, Reference, Sense, State, When};
use super::phrases::Phrases;
use super::token::Token;
use crate::race::sport::LegKind;

/// What a word or phrase contributes to a claim.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Tag {
    Metric(ClaimMetric),
    Stat(ClaimStat),
    When(When),
    Scope(ScopeWord),
    /// `km`, `lap`: what a split is called where no number precedes it.
    SplitNoun,
    Leg(LegKind),
    /// `on the bike`: the leg that the athlete is on.
    OnLeg(LegKind),
    Sense(Sense),
    /// A change over time: `has dropped`, `is rising`.
    Trend(Sense),
    Reference(Reference),
    Progress(Progress),
    State(State),
    Mood(Mood),
    Not,
    /// `you`, `she`, `your`: the athlete.
    Athlete,
    /// Somebody else, about whom the data says nothing.
    Stranger,
    /// Family, crew, coach: whom a message may address.
    Reader,
    /// `fastest`, `slowest`.
    Extreme(Sense),
    /// Begins what something is compared with.
    Than,
    /// A preposition before a place.
    At,
    Bound(Bound),
    /// `from here`, `away`, `up the road`.
    FromHere,
    /// What follows was seen before the signal was lost.
    LastSeen,
    /// Passing or reaching: a place before it or after it is claimed to be behind.
    Reached,
    /// `a margin of`, `by`: what follows is a difference.
    By,
    /// `left`, `set off from`: a place that follows is claimed to be left.
    Departed,
    /// Consumed without meaning: `over the last`, `half marathon`.
    Neutral,
}

/// What a tag carries, if it is of that kind.
impl Tag {
    pub(super) fn metric(self) -> Option<ClaimMetric> {
        if let Self::Metric(it) = self {
            Some(it)
        } else {
            None
        }
    }

    pub(super) fn stat(self) -> Option<ClaimStat> {
        if let Self::Stat(it) = self { Some(it) } else { None }
    }

    pub(super) fn when(self) -> Option<When> {
        if let Self::When(it) = self { Some(it) } else { None }
    }

    pub(super) fn scope(self) -> Option<ScopeWord> {
        if let Self::Scope(it) = self {
            Some(it)
        } else {
            None
        }
    }

    pub(super) fn sense(self) -> Option<Sense> {
        if let Self::Sense(it) = self {
            Some(it)
        } else {
            None
        }
    }

    pub(super) fn reference(self) -> Option<Reference> {
        if let Self::Reference(it) = self {
            Some(it)
        } else {
            None
        }
    }

    pub(super) fn progress(self) -> Option<Progress> {
        if let Self::Progress(it) = self {
            Some(it)
        } else {
            None
        }
    }

    pub(super) fn mood(self) -> Option<Mood> {
        if let Self::Mood(it) = self { Some(it) } else { None }
    }

    pub(super) fn extreme(self) -> Option<Sense> {
        if let Self::Extreme(it) = self {
            Some(it)
        } else {
            None
        }
    }

    pub(super) fn bound(self) -> Option<Bound> {
        if let Self::Bound(it) = self {
            Some(it)
        } else {
            None
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScopeWord {
    Race,
    Window,
    Last,
    First,
    Next,
    Each,
    FirstHalf,
    SecondHalf,
    Half,
    LastSplit,
}

#[rustfmt::skip]
const WORDS: &[(Tag, &str)] = &[
    (Tag::Metric(ClaimMetric::HeartRate), "hr|heart rate|heartrate|pulse|heart|beats|puls|herzfrequenz|hf|fréquence cardiaque|fc|pouls|cardio|frecuencia cardíaca|pulso|pulsaciones|frequenza cardiaca|battito|battiti|heart s|ticker|bpm"),
    (Tag::Metric(ClaimMetric::Power), "power|watts|leistung|puissance|potencia|potenza|wattage"),
    (Tag::Metric(ClaimMetric::Cadence), "cadence|step rate|turnover|kadenz|trittfrequenz|schrittfrequenz|cadencia|cadenza|stride rate|revs|leg speed"),
    (Tag::Metric(ClaimMetric::Pace), "pace|speed|tempo|geschwindigkeit|allure|vitesse|rythme|ritmo|velocidad|velocità|andatura"),
    (Tag::Metric(ClaimMetric::Distance), "distance|distanz|strecke|distancia|distanza"),
    (Tag::Metric(ClaimMetric::Ascent), "climb|climbed|climbing|ascent|elevation gain|of gain|vertical|vert|höhenmeter|hm|anstieg|dénivelé|desnivel|dislivello|uphill|gained|gain|metres of climbing|metres up|of climbing|of ascent|elevation gained|height gained|höhe gewonnen|vertical metres|vertical gain|bergauf"),
    (Tag::Metric(ClaimMetric::Altitude), "altitude|elevation|above sea level|höhe|meereshöhe|quota"),
    (Tag::Metric(ClaimMetric::Stop), "stop|stops|break|breaks|pause|pauses|rest|halt|pausen|stopp|stopps|arrêt|arrêts|parada|paradas|sosta|soste|stood|paused|stopped for|rested|pulled over for|standstill time|sat|sitting|wait|waited|pit stop|breather|stopp von|rast"),
    (Tag::Metric(ClaimMetric::Gap), "gap|gaps|dropout|dropouts|without signal|without data|lücke|lücken"),
    (Tag::Metric(ClaimMetric::Other), "temperature|degrees|wind|humidity|rank|ranked|position overall|place overall|battery|calories|kcal|vo2|lactate|hydration|sweat|weight|grade|gradient|zone|training effect|stress|stride length|power to weight"),
    (Tag::Stat(ClaimStat::Mean), "average|averages|averaged|averaging|avg|mean|on average|in average|durchschnitt|durchschnittlich|im schnitt|schnitt|im mittel|ø|moyenne|en moyenne|media|en promedio|promedio|de media|in media"),
    (Tag::Stat(ClaimStat::Max), "max|maximum|highest|peak|peaked|peaking|topped out|hit|touched|spiked|spike|spikes|höchste|höchster|höchstwert|maximal|spitze|maximale|máximo|máxima|pico|massimo|massima|picco|top speed|peaks|maxed|maxed out|max of|maximum so far"),
    (Tag::Stat(ClaimStat::Min), "lowest|minimum of|niedrigste|niedrigster|tiefste|plus basse|mínimo|minimo"),
    (Tag::When(When::Now), "now|currently|right now|at the moment|at present|this moment|just now|today s now|jetzt|gerade|aktuell|momentan|derzeit|maintenant|actuellement|en ce moment|ahora|en este momento|ora|adesso|in questo momento|attualmente"),
    (Tag::When(When::Present), "is|are|re|am|sits|sit|holding|hold at|remains|stays|runs|rides|shows|reads|ist|sind|bist|liegt|liegst|läuft|läufst|fährt|fährst|est|es|sont|está|estás|è|sei|va|vas|vai|tiene|tienes|roule|cours|rolling|doing|going|looks|look|beats along|she s|he s|it s|that s|here s|there s"),
    (Tag::When(When::Past), "was|were|ran|went|took|had|swam|rode|did|earlier|before|ago|early on|earlier on|yesterday|lasted|cost|needed|spent|opened|began|came|beat|war|warst|hatte|hattest|lief|liefst|fuhr|vorhin|zuvor|vor einer weile|brauchtest|dauerte|était|étais|avait|avais|fue|fuiste|tenía|era|eri|aveva|avevi|used to|at first|initially|at the start|you d|she d|he d|they d|came to|came in|came in at|stood|lost|got out|got onto|got on|felt|kept|held|made|begun|got|saw|sank|said|stayed|spun"),
    (Tag::When(When::Perfect), "has|have|ve|been|since|hat|hast|habe|seit|depuis|a été|ha|has|hai|desde|da|stato|stata"),
    (Tag::When(When::Future), "about to|if you keep this up|if you keep going|if you keep it up|if you hold this|if you keep this pace|if this continues|if nothing changes|wenn du so weiterläufst|wenn es so weitergeht|si tu continues ainsi|si sigues así|se continui così|will|ll|going to|soon|later|ahead of you|coming up|upcoming|expected|projected|projection|predicted|forecast|estimate|estimated|eta|finish around|on course for|at this pace|at this rate|at that pace|at this speed|on current form|then the|before long|not yet|yet to|you finish|you ll finish|wirst|wird|bald|später|voraussichtlich|bei diesem tempo|nachher|noch nicht|vas a llegar|llegarás|terminarás|à ce rythme|à cette allure|bientôt|tu finiras|plus tard|a questo ritmo|a este ritmo|finirai|arriverai|presto|más tarde|luego|dopo|up the road|just ahead|up ahead|arrival|expect|she d be|he d be|you d be|they d be|it d be|she d reach|you d reach|he d reach|she d finish|you d finish|he d finish|you d get|she d get|he d get|you d come|she d come|you d cross|she d cross|he d cross|you d make|she d make|you d arrive|she d arrive|he d arrive|would be|would reach|would finish|would arrive|would cross|would get|would make|would put|would bring|would take|should reach|should be at|should be there|should be in|should arrive|should finish|should get to|should come|should cross|should see|could be at|could be there|could reach|could finish|might reach|might finish|due at|due in|is due|are due|if that holds|heading for|headed for|on her way to|on his way to|on your way to|on the way to|approaching|almost at|nearly at|you ll see|will see|comes next|on course to|set to|wird gegen|erwartet|you should see|she should see|at your present|at her present|at his present|at this tempo|at the present|at current|at your current|at her current|at his current|the finish comes|at her average|at his average|at your average|at that average|at the current|bei dem tempo|mit diesem tempo|at present pace|i d say|i would say|i d guess|i reckon|i guess|my guess|i d bet|i expect|we expect|should take|will take|take you|takes you|take her|take him|takes her|count on|reckon on|reckon with|figure on"),
    (Tag::Scope(ScopeWord::Race), "so far|overall|in total|in all|since the start|the whole race|whole race|all race|all day|of the day|of the race|entire race|total|altogether|bisher|insgesamt|gesamt|seit dem start|jusqu ici|depuis le départ|au total|hasta ahora|en total|desde la salida|finora|in totale|dalla partenza|all told|together|combined|zusammen"),
    (Tag::Scope(ScopeWord::Window), "since then|ever since|seitdem|depuis lors|lately|recently|of late|in the last few minutes|the last few minutes|zuletzt|in letzter zeit|récemment|últimamente|ultimamente|last stretch|recent"),
    (Tag::Scope(ScopeWord::Last), "last|over the last|over the past|in the last|in the past|during the last|for the last|past|previous|latest|final|letzten|letzte|letzter|letztes|vergangenen|vorigen|dernier|dernière|derniers|dernières|último|últimos|última|últimas|ultimo|ultimi|ultima|ultime|preceding"),
    (Tag::Scope(ScopeWord::First), "first|opening|initial|ersten|erste|erster|erstes|premier|première|premiers|premières|primer|primeros|primera|primeras|primo|primi|prima|prime"),
    (Tag::Scope(ScopeWord::Next), "next|coming|following|second|nächsten|nächste|nächster|nächstes|kommenden|zweiten|prochain|prochains|prochaine|prochaines|próximo|próximos|próxima|próximas|prossimo|prossimi|prossima|prossime"),
    (Tag::Scope(ScopeWord::Each), "every|each|per|every one of|all of|jede|jeden|jeder|alle|chaque|toutes les|tous les|cada|ogni"),
    (Tag::Scope(ScopeWord::FirstHalf), "first half|opening half|erste hälfte|ersten hälfte|première moitié|primera mitad|prima metà"),
    (Tag::Scope(ScopeWord::SecondHalf), "second half|zweite hälfte|zweiten hälfte|seconde moitié|segunda mitad|seconda metà"),
    (Tag::Scope(ScopeWord::Half), "halfway|half way|half the distance|half the race|half of the race|half of it|half of|half is|the half|halbzeit|hälfte|mi course|à mi parcours|moitié|mitad|metà|midway"),
    (Tag::Scope(ScopeWord::LastSplit), "last km|last kilometre|last kilometer|last split|last lap|previous km|previous kilometre|previous kilometer|previous split|most recent km|most recent kilometre|most recent split|latest km|latest split|letzter kilometer|letzten kilometer|letzte kilometer|letzter km|letzten km|dernier kilomètre|dernier km|último kilómetro|último km|ultimo chilometro|ultimo km"),
    (Tag::SplitNoun, "km|kilometre|kilometer|kilometres|kilometers|kms|split|splits|lap|laps|mile|kilomètre|kilómetro|chilometro|kilometern|number"),
    (Tag::Leg(LegKind::Swim), "swim|swims|swam|swimming|out of the water|the water|schwimmen|geschwommen|natation|nage|nagé|natación|nadado|nadar|nuoto|nuotato|swim split|swim leg"),
    (Tag::Leg(LegKind::Ride), "bike|ride|rides|riding|rode|cycling|cycle|bike leg|bike split|rad|radfahren|fährst|fährt|gefahren|vélo|cyclisme|bici|bicicleta|bicicletta|ciclismo|pedaling|pedalling|cycled|pedalled|biked|spun"),
    (Tag::Leg(LegKind::Run), "run|runs|ran|running|run leg|run split|laufen|lauf|gelaufen|läufst|läuft|course à pied|carrera a pie|corriendo|corsa|correre|jog|jogging|marathon leg|run course"),
    (Tag::OnLeg(LegKind::Ride), "on the bike|on your bike|in the saddle|auf dem rad|en vélo|à vélo|sur le vélo|en la bici|in bici|you re riding|you are riding|out on the bike|he is riding|she is riding|sitting on the bike"),
    (Tag::OnLeg(LegKind::Run), "on the run|out on the run|on your run|beim laufen|auf der laufstrecke|en course à pied|on foot"),
    (Tag::OnLeg(LegKind::Swim), "in the swim|on the swim|you re swimming|you are swimming|still swimming|beim schwimmen|in the water|still in the water|im wasser|swimming at the moment"),
    (Tag::OnLeg(LegKind::Transition), "in t1|in t2|in transition|in the transition|in der wechselzone"),
    (Tag::Leg(LegKind::Transition), "t1|t2|transition|wechselzone|wechsel|transición|transizione|zona cambio|changeover"),
    (Tag::Sense(Sense::Above), "over|gone over|above|exceeds|exceed|exceeding|exceeded|beyond|higher|too high|über|oberhalb|höher|zu hoch|au dessus|supérieure|plus haut|plus élevée|por encima|más alto|más alta|sopra|oltre|più alto|più alta|north of|up from|breaking"),
    (Tag::Sense(Sense::Below), "below|under|beneath|underneath|lower|too low|short of|unter|unterhalb|niedriger|zu niedrig|tiefer|en dessous|sous|inférieure|plus bas|plus basse|por debajo|bajo|debajo|más bajo|más baja|sotto|più basso|più bassa|shy of|down from"),
    (Tag::Sense(Sense::Faster), "faster|quicker|sharper|swifter|schneller|flotter|plus rapide|plus vite|más rápido|más rápida|più veloce|too fast|zu schnell"),
    (Tag::Sense(Sense::Slower), "slower|langsamer|plus lent|plus lente|plus lentement|más lento|más lenta|più lento|più lenta|too slow|zu langsam"),
    (Tag::Sense(Sense::Ahead), "ahead|in front|up on|in hand|to spare|to the good|in the bank|earlier than|ahead of|vor deinem plan|vor plan|vor dem plan|vor deinem|voraus|vorsprung|früher|vor dem zeitplan|vor der|d avance|avance|en avance|por delante|de ventaja|ventaja|adelantado|in vantaggio|di vantaggio|vantaggio|in anticipo|banked|cushion|buffer|before its|inside the limit|inside the time limit|within the time limit|until the cut off|until the cutoff|until cut off|before cut off|to the cut off|bis zum cut off|before the cut off|before the cutoff|inside the cut off|inside the cutoff|beat|of reserve|in reserve|reserve|spare|margin|inside the time|puffer|polster|time in hand|zeitpolster|ahead of time|before they close|before it closes|up on the"),
    (Tag::Sense(Sense::Behind), "behind|down on|off the pace|late|adrift|off target|off schedule|hinter deinem plan|hinter plan|hinter dem plan|hinter deinem|im rückstand|rückstand|zurück hinter|zu spät|de retard|retard|en retard|por detrás|de retraso|retraso|atrasado|in ritardo|di ritardo|ritardo|over schedule|past the cut off|past the cutoff|outside the cut off|missed|missing|missed the cut off|missed the cutoff|outside the limit|after the cut off|after the cutoff|too late|outside"),
    (Tag::Sense(Sense::Same), "on track|on schedule|on plan|on target|on pace|right on|bang on|exactly on plan|as planned|im plan|im zeitplan|nach plan|dans les temps|según lo previsto|en tiempo|in linea|in tabella"),
    (Tag::Trend(Sense::Slower), "slowed|slowed down|slowing|slowing down|fading|faded|losing pace|losing speed|dropped off the pace|lost pace|langsamer geworden|wirst langsamer|ralentis depuis|tu ralentis|has dropped off|easing off lately|tiring|lost time|slower now|getting worse|getting slower|becoming slower|dropping back|slowed a lot|gone off the boil"),
    (Tag::Trend(Sense::Faster), "sped up|speeding up|picked up|picked it up|picking up|picking up the pace|quickened|quickening|accelerated|accelerating|negative split|schneller geworden|wirst schneller|tu accélères|gaining speed|got faster|getting faster|becoming faster|faster now|quicker now|getting better|speeded up|stepped it up|running faster|quicker again|rolling again"),
    (Tag::Trend(Sense::Above), "went up|goes up|rising|risen|rises|rose|climbing up|creeping up|crept up|drifting|drifted|drifting up|going up|gone up|increasing|increased|steigt|gestiegen|steigend|climbs up|monte|augmente|sube|ha subido|sale|sta salendo|è salita|is climbing|has climbed|trending up|shot up|come up|came up|crept higher|pushing harder|working harder|higher now|more now|ramped up|grown|grew|gone higher"),
    (Tag::Trend(Sense::Below), "went down|goes down|dropping|dropped|fallen|falling|falls|fell|drifted down|drifting down|eased|easing|come down|came down|coming down|going down|gone down|decreasing|decreased|sinkt|gesunken|fällt|gefallen|baisse|a baissé|baja|ha bajado|cala|è scesa|scende|trending down|down to|settled down to|sunk|sank|lower now|less now|gone lower|settled|backed off|dialled back|has calmed|calmed down|calmed|sinking|tapered"),
    (Tag::Trend(Sense::Same), "steady|stable|constant|level|flat|even|unchanged|barely changed|hardly changed|no drift|konstant|gleichmäßig|stabil|régulier|régulière|stables|estable|constante|regolare|costante|consistent|has not changed|hasn t changed|dead flat|rock steady|like clockwork|metronome"),
    (Tag::Reference(Reference::Limit), "limit|limits|minimum|cap|ceiling|floor|threshold|maximum of|max of|your minimum|your maximum|your max|lower limit|upper limit|grenze|obergrenze|untergrenze|grenzwert|limite|plafond|seuil|límite|tope|soglia|allowed"),
    (Tag::Reference(Reference::Plan), "plan|target|goal|schedule|planned|target time|goal time|target pace|zeitplan|zielzeit|ziel zeit|soll|objectif|objetivo|obiettivo|tabella di marcia|horario|to break"),
    (Tag::Reference(Reference::Cutoff), "cut off|cutoff|cut offs|cutoffs|time limit|inside the limit|inside the time limit|within the time limit|until the cut off|until the cutoff|until cut off|before cut off|to the cut off|bis zum cut off|closes at|closes|closing time|zeitlimit|cut off zeit|barrière horaire|hora límite|corte|cancello orario|tempo limite|cancello|they close|before it closes|before they close|it closes|close this|broom wagon|sweep|sweeper|besenwagen|closing|close"),
    (Tag::Progress(Progress::Done), "done|covered|completed|behind you|behind her|behind him|in the bag|run so far|gone|into the|into|elapsed|in the legs|on the clock|clock showed|down|under your belt|geschafft|hinter dir|zurückgelegt|absolviert|parcouru|parcourus|faits|derrière toi|recorridos|hechos|llevas|percorsi|fatti|alle spalle|complete|ticked off|in the books|through|have run|have ridden|have swum|ve run|ve ridden|ve swum|have covered|ve covered|in her legs|in his legs|in your legs|behind them|knocked off|ticked|finished off|of it done|on the race clock|race clock|on her watch|on your watch"),
    (Tag::Progress(Progress::ToGo), "to go|more|left|remaining|remain|remains|still to come|to run|to ride|to cover|ahead of you|still ahead|until the finish|to the finish|from the finish|noch|verbleiben|verbleibend|übrig|bis zum ziel|bis ins ziel|reste|restent|il reste|il te reste|restants|encore|jusqu à l arrivée|quedan|faltan|te quedan|te faltan|restan|por delante aún|mancano|ti mancano|restano|rimangono|al traguardo|still to do|lies ahead|lie ahead|still lies ahead|still lie ahead|to come|till the finish|to the line|from home|to run still|of riding left|yet to run|yet to ride|stands between|vor dir|liegen vor dir|for the rest|stand between|separate you|separates you|verbleiben dir|the remaining|still has|still have|has still|have still|has another|have another"),
    (Tag::State(State::Standing), "re paused|is paused|are paused|currently paused|timer is stopped|bist pausiert|ist pausiert|standing|standing still|stand still|stand by|stopped|stationary|at a standstill|standstill|come to a halt|came to a halt|halted|has halted|not moving|isn t moving|aren t moving|stehst|steht|steht still|stehen geblieben|stehengeblieben|arrêté|arrêtée|à l arrêt|immobile|parado|parada en|está parada|detenido|detenida|fermo|ferma|pulled over|resting|have stopped|not moved|hasn t moved|haven t moved|at rest|having a break|taking a break|on a break|macht pause|macht gerade pause|machst pause|steht gerade|parked|sitting down|having a rest|taking a rest|en pause|fait une pause|has paused|have paused|pausiert|rastet|macht rast|catching your breath|catching her breath|stopped for|paused|rested|pulled over for|stopped at|stopped by|taking five"),
    (Tag::State(State::Moving), "moving|moving well|on the move|in motion|under way again|back on the move|unterwegs|in bewegung|en mouvement|en movimiento|in movimento|moving again|still going|is running again|are running again|running again|riding again|walking again|climbing again|läuft wieder|fährt wieder|geht wieder|repartie|reparti|has set off|have set off|set off again|back running|back in motion|on the go|on the climb|moving along|still moving|keeps moving|climbing well|running well|running smoothly|riding well|moving nicely|jogging along|rolling along|making good progress|making progress|ticking along|motoring"),
    (Tag::State(State::Finished), "finished|have finished|crossed the line|crossed the finish|across the line|across the finish|finish line is behind|made it|finisher|race done|race is done|race is over|race over|you are done|you re done|in the finish area|finish area|finish zone|zielbereich|im ziel|ins ziel gekommen|gefinisht|hast es geschafft|à l arrivée|tu as fini|terminé la course|franchi la ligne|has terminado|has llegado a meta|en meta|al traguardo finale|hai finito|arrivato|arrivata|hai tagliato|medal is yours|enjoy the medal|over and done"),
    (Tag::State(State::Silent), "no signal|no news|no word|no update|no updates|nothing new|out of contact|silent|quiet|no data|signal is lost|signal lost|lost signal|lost the signal|lost contact|have lost contact|no contact|out of coverage|out of range|offline|signal went missing|signal is gone|signal gone|nothing has been heard|nothing heard|tracker is quiet|tracker is silent|gone quiet|gone silent|went silent|went quiet|not heard from|no news from the tracker|kein signal|kein empfang|keine daten|kein netz|signal verloren|pas de signal|plus de signal|aucun signal|sin señal|sin datos|señal perdida|nessun segnale|senza segnale|segnale perso|no tracking data|last contact|haven t had a signal|hasn t had a signal|had no signal|not had a signal|tracker has gone|nothing from|nothing since|no sign of|no dot|no fix|no position|no points|no point|stopped sending|stopped transmitting|no trace|no reading|no readings|aucun contact|funkstille|sans signal|sans nouvelles|ohne signal|without news|without a signal|went dark|gone dark|said nothing|says nothing|nothing from the tracker|signal dropped out|signal has dropped|signal is down|signal dropped off"),
    (Tag::LastSeen, "last seen|last heard|heard from|last position|last known|last data|zuletzt gesehen|letzte position|letztes signal|dernière position|última posición|ultima posizione|zuletzt|last signal|last point|last dot|last fix|last update|last ping|last news|last sign|last message from the tracker|last reading|when it went|before the signal|when we lost|when contact was lost|when the signal|when the tracker|last we saw|last saw|last contact|stopped sending|stopped transmitting|went dark|letzter punkt|letzter stand|letztes lebenszeichen|letzte meldung|dernier point|dernier contact|dernier signal|at last contact|at last fix|last transmission|the signal went|signal dropped|lost her signal|lost his signal"),
    (Tag::State(State::Heard), "signal is back|signal is good|signal is fine|signal good|good signal|signal fine|signal is strong|tracker is back|tracker is fine|back online|online|signal again|data is coming|tracking works|signal is there|signal ist gut|signal ist da|signal ist wieder da|empfang ist gut|signal bon|le signal est bon|le signal est revenu|señal buena|hay señal|il segnale è buono|segnale buono|back in coverage|tracker is live"),
    (Tag::State(State::OffCourse), "off course|off the course|wrong way|lost your way|off route|off the route|took a wrong turn|vom kurs ab|abseits der strecke|hors parcours|fuera del recorrido|fuori percorso"),
    (Tag::State(State::OnCourse), "on course|on the course|on route|auf kurs"),
    (Tag::State(State::Retired), "dropped out|dnf|abandoned|retired|pulled out|given up|gave up|withdrawn|withdrew|ausgestiegen|aufgegeben|abandonné|abandonado|ritirato|ritirata"),
    (Tag::State(State::Started), "started|have started|under way|gestartet|partis|partito"),
    (Tag::State(State::Waiting), "not started|hasn t started|haven t started|has not started|waiting for the start|before the start"),
    (Tag::Mood(Mood::Advice), "keep|hold|stay|ease|ease off|ease up|relax|drink|eat|take|sip|try|aim|aim for|avoid|let|push|slow|slow down|walk|breathe|enjoy|remember|save|think|finish the|focus|settle|settle in|back off|back it off|go|go on|carry on|carry|move|get|give|start|stop|use|lift|drop|shift|spin|bring|make|look after|listen|cool|fuel|refuel|chew|swallow|rest now|do|don t|do not|never|no need|please|concentrate|trust|build|run easy|bleib|bleibe|halt|halte|trink|trinke|iss|nimm|lauf|geh|geht|versuch|versuche|lass|mach|denk|atme|weiter|ruhig|genieß|garde|reste|bois|mange|prends|essaie|ralentis|continue|respire|profite|mantén|mantente|bebe|come|toma|sigue|intenta|respira|disfruta|mantieni|bevi|mangia|prendi|continua|respira|resta|tieni|riparti|rimani|goditi|save it|kick|dig|swing|loosen|shake|another one|save something"),
    (Tag::Mood(Mood::Modal), "should|could|can|may|might|must|need to|needs to|want to|plan to|planning to|would|let s|better|aim to|ready to|time to|hurry|solltest|sollte|kannst|könntest|musst|darfst|tu peux|tu devrais|puedes|deberías|puoi|dovresti|if you want|i d|i would|we d"),
    (Tag::Mood(Mood::If), "if|when you|when she|when he|as soon as|until|till|unless|before the|in case|wenn|falls|sobald|bis|solange|si|quand tu|dès que|jusqu à|jusqu au|cuando|hasta el|hasta que|se|quando|fino a|finché|as long as|before you|before she|before he|provided|should you|should she|should he|were you to|assuming|once you|once she|once he|once the|once it|once in|once past|once on|once at|once through|once they|once out|once over"),
    (Tag::Mood(Mood::Unknown), "doesn t mean|does not mean|not necessarily|no sign that|heißt nicht|bedeutet nicht|ne veut pas dire|no significa|non significa|cannot tell|can t tell|do not know|don t know|doesn t know|not known|unknown|unclear|whether|no idea|may or may not|nobody knows|weiß nicht|wissen nicht|unklar|ob|on ne sait pas|no sabemos|non sappiamo|hope|hoping|hopefully"),
    (Tag::Not, "not|no|never|isn t|aren t|wasn t|weren t|hasn t|haven t|hadn t|don t have|without|nothing|nor|none|hardly any|nicht|kein|keine|keinen|nie|ohne|pas|jamais|aucun|aucune|sans|sin|nunca|non|mai|senza|nessun|nessuna"),
    (Tag::Athlete, "you|your|yours|she|her|he|his|him|hers|they|their|du|dein|deine|deinem|deinen|deiner|dir|dich|sie|er|ihr|ihre|tu|ton|ta|tes|elle|il|vous|votre|tú|te|tus|su|tuo|tua|tuoi|ti|lei|lui|the athlete|our athlete|the runner|our runner|the rider|our rider|she s|he s"),
    (Tag::Stranger, "rival|rivals|leader|leaders|competitor|competitors|winner|opponent|teammate|team mate|brother|sister|friend|husband|wife|partner|pacer|pacemaker|the man in front|the woman in front|runner in front|rider in front|the field|everyone else|others|konkurrent|konkurrentin|führende|führender|bruder|schwester|gegner|leader s|rivale|rivales|líder|avversario|capolista|second place|third place|the next runner|chaser|chasers|another runner|another rider|other runners"),
    (Tag::Reader, "mum|mom|mama|dad|papa|coach|crew|team|family|everyone|all|folks|friends|guys|champ|champion|mate|buddy|legend|girl|boy|lads|supporters|hero|star|familie|famille|équipe|familia|famiglia|squadra|ragazzi|chica|chico|campeona|campeón|bravo|brava"),
    (Tag::Extreme(Sense::Faster), "fastest|quickest|schnellster|schnellste|schnellsten|plus rapide de|la plus rapide|le plus rapide|el más rápido|la más rápida|il più veloce|best"),
    (Tag::Extreme(Sense::Slower), "slowest|langsamster|langsamste|langsamsten|le plus lent|la plus lente|el más lento|il più lento|worst"),
    (Tag::Than, "than|versus|vs|against|compared to|compared with|instead of|rather than|als|statt|que la|que le|que ta|que ton|que tu|que el|del tuo|della tua|rispetto a|rispetto al|than your"),
    (Tag::At, "at|near|around the|close to|by the|in|bei|beim|am|à|au|en|a|al|ad|alla|to|into the village of|towards|toward|for|from|nach|auf|from the|on|of|lake|mount|monte|lago|the|über"),
    (Tag::Reached, "passed|past|through|reached|went through|gone through|made it to|arrived at|got to|get to|crossed|left|been through|passiert|erreicht|durch|passé|atteint|franchi|pasado|alcanzado|llegado a|passato|raggiunto|superato|ran through|rolled through|reached the|showed|went by|gone by|went past|gone past|came through|made it past|ticked past|came past"),
    (Tag::FromHere, "from here|from now|away|further|farther|up the road|down the road|distant|von hier|entfernt|d ici|desde aquí|da qui|further on|further along|ahead of her|ahead of him|ahead of you|in front of her|in front of you|down the trail|down the line|up the trail"),
    (Tag::Bound(Bound::About), "about|roughly|around|approximately|approx|nearly about|some|somewhere around|circa|ca|rund|etwa|ungefähr|gut|knapp|environ|à peu près|unos|unas|aproximadamente|cerca de|alrededor de|quasi|más o menos|or so|give or take|close to|in the region of|or thereabouts|something like|in the neighbourhood of|just about|plus or minus|ish|near enough|more or less|a hair under|à peine|autour de"),
    (Tag::Bound(Bound::AtLeast), "over|above|exceeded|exceeds|exceed|topped|beyond|gone over|more than|at least|just over|a bit over|a little over|well over|upwards of|mehr als|über|mindestens|plus de|au moins|más de|al menos|più di|oltre|almeno|good|a touch over|a touch more than|a shade over|a hair over|a good|slightly over|slightly more than|a little more than|a bit more than|comfortably over|just past|just beyond|knapp über|etwas über|gut über|etwas mehr als|un peu plus de"),
    (Tag::Bound(Bound::AtMost), "the best part of|best part of|the better part of|under|below|beneath|less than|at most|just under|a bit under|a little under|almost|nearly|not quite|no more than|weniger als|unter|höchstens|fast|moins de|presque|menos de|casi|meno di|a touch under|a shade under|slightly under|slightly less than|a little less than|a bit less than|a touch less than|well under|comfortably under|etwas unter|knapp unter|etwas weniger als|un peu moins de|just short of"),
    (Tag::By, "margin|margin of|of reserve|reserve|reserves|luft|by|headroom|um|marge|margen|margine"),
    (Tag::Departed, "left|have left|has left|just left|already left|set off from|departed|verlassen|quitté"),
    (Tag::State(State::Walking), "walking|spaziert|geht gerade|gehst gerade|walking break|walk break|marche"),
    (Tag::Neutral, "over the course|half marathon|halbmarathon|marathon|semi marathon|media maratón|mezza maratona|well done|way to go|good to go|first of all|as well|more than half|over half|on the menu|one at a time|quick feet|high five|keep up|in front of you|all good|all is well|good run|great run|at all|both|up to|not once|first aid|last bit|light feet|easy does it|the half marathon|for the run|legs for the run|save something for the run|running shoes|run leg later|on the line|half of that|half as much|both halves|each half|full gas|in the long run|long run|set aside|by now"),
];

static TAGS: LazyLock<Phrases<Tag>> = LazyLock::new(|| Phrases::new(WORDS.iter().copied()));

/// The tags of the longest phrase at the start of `tokens`, and its length in tokens.
pub(super) fn tags(tokens: &[Token]) -> Option<(Vec<Tag>, usize)> {
    TAGS.at(tokens)
}
