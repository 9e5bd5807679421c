//! The names of units, durations and numbers in English, German, French, Spanish and Italian.

use std::sync::LazyLock;

use super::phrases::Phrases;
use super::terms::ClaimMetric;

/// What a number measures, by its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    HeartRate,
    Power,
    /// Revolutions or, if `steps`, steps per minute.
    Cadence {
        steps: bool,
    },
    /// Metres.
    Distance,
    /// Metres per second.
    Speed,
    /// Seconds per kilometre, as a difference between two paces.
    PaceDifference,
    /// Metres of climb per hour.
    ClimbRate,
    /// Seconds.
    Duration,
    /// Seconds since midnight, or since noon if they are less than twelve hours.
    TimeOfDay,
    Percent,
    /// A number of stops.
    Stops,
    /// Something that the data does not contain: grams, degrees, calories.
    Foreign,
    /// A number whose unit does not fit it, such as 5:15 km/h.
    Misfit,
    /// A number without a unit.
    Bare,
}

impl Measure {
    /// The metric of track points that is measured in this unit.
    pub(crate) fn metric(self) -> Option<ClaimMetric> {
        Some(match self {
            Self::HeartRate => ClaimMetric::HeartRate,
            Self::Power => ClaimMetric::Power,
            Self::Cadence { .. } => ClaimMetric::Cadence,
            Self::Speed => ClaimMetric::Pace,
            _ => return None,
        })
    }
}

/// One way to read a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reading {
    pub(crate) measure: Measure,
    pub(crate) value: f64,
    /// The smallest unit written, which limits how exact the number is meant to be.
    pub(crate) step: f64,
}

impl Reading {
    /// The same number, in a unit that is `factor` times the base unit of `measure`.
    pub(crate) fn in_unit(self, measure: Measure, factor: f64) -> Self {
        let (value, step) = (self.value * factor, self.step * factor);
        Self { measure, value, step }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Unit {
    /// A measure, and the factor that converts to its base unit.
    Of(Measure, f64),
    /// A time per this many metres.
    Pace(f64),
    PerKm,
}

use Measure::{Cadence, ClimbRate, Distance, Duration, Foreign, HeartRate, Percent, Power, Speed};

const MILE_M: f64 = 1609.344;

#[rustfmt::skip]
const UNITS: &[(Unit, &str)] = &[
    (Unit::Of(HeartRate, 1.0), "bpm|bpms|beats per min|puls|heartbeats|beats per minute|beats|beats a minute|beats min|schläge|schläge pro minute|schlägen|pulsations|battements|pulsaciones|latidos|ppm|battiti|battiti al minuto|pulsations par minute|pulsations minute|battements par minute|pulsaciones por minuto|latidos por minuto|battiti per minuto|schlägen pro minute|schläge die minute|pulsations à la minute"),
    (Unit::Of(Power, 1.0), "w|watt|watts|vatios|vatio|wattos|vatios de potencia|watt di potenza"),
    (Unit::Of(Power, 1000.0), "kw|kilowatt|kilowatts|kilovatios|kilovatio"),
    (Unit::Of(Cadence { steps: false }, 1.0), "rpm|revs|revs per minute|revolutions|revolutions per minute|u / min|umdrehungen|umdrehungen pro minute|tours|tours par minute|tr / min|pedaladas|pedalate|giri|giri al minuto|vueltas|vueltas por minuto|tours minute|pedalate al minuto|pedaladas por minuto|umdr|umdr / min|turns a minute"),
    (Unit::Of(Cadence { steps: true }, 1.0), "spm|schritten pro minute|schritten|steps|steps per minute|steps a minute|steps / min|schritte|schritte pro minute|schritte / min|pas par minute|pas / min|pasos|pasos por minuto|passi|passi al minuto|pas minute|passi per minuto|pas à la minute|schritt|schritten die minute|strides a minute"),
    (Unit::Of(Distance, 1.0), "m|metres|meters|metre|meter|metern|mètres|metros|metri"),
    (Unit::Of(Distance, 1000.0), "km|k|kms|kilometres|kilometers|kilometre|kilometer|kilometern|kilomètres|kilomètre|kilómetros|kilómetro|chilometri|chilometro|ks"),
    (Unit::Of(Distance, MILE_M), "mi|mile|miles|meilen|milles|millas|miglia"),
    (Unit::Of(Distance, 0.3048), "ft|feet|foot|pies|piedi|pieds|fuß|pie"),
    (Unit::Of(Distance, 0.9144), "yd|yards|yard"),
    (Unit::Of(Speed, 1.0 / 3.6), "km / h|kmh|kph|km per hour|km an hour|kilometres per hour|kilometers per hour|kilometres an hour|kilometers an hour|stundenkilometer|km pro stunde|km / std|kilómetros por hora|chilometri all ora|km all ora|km pro std|à l heure|km à l heure|kilomètres à l heure|kilomètres heure|kilómetros a la hora|chilometri orari|km orari|km heure|km hora|km all h|km ora|an hour|per hour|the hour|pro stunde|in der stunde|all ora|a la hora|par heure|por hora"),
    (Unit::Of(Speed, 1000.0 / 60.0), "km / min|km per minute|km a minute|kilometres per minute|kilometers per minute|kilometres a minute|kilometers a minute|km pro minute|kilometer pro minute|km in der minute|kilometer in der minute|km par minute|km à la minute|kilomètres par minute|kilomètres à la minute|km por minuto|kilómetros por minuto|km al minuto|chilometri al minuto|km per minuto"),
    (Unit::Of(Speed, 1000.0), "km / s|km per second|kilometres per second|kilometers per second|km pro sekunde|kilometer pro sekunde|km par seconde|km por segundo|km al secondo|kilómetros por segundo|chilometri al secondo"),
    (Unit::Of(Speed, MILE_M / 3600.0), "mph|miles each hour|mi / h|miles per hour|miles an hour"),
    (Unit::Of(Speed, 0.514_444), "knots|kn|kts"),
    (Unit::Of(Speed, 1.0), "m / s|mps|metres per second|meters per second|meter pro sekunde|mètres par seconde|metros por segundo|metri al secondo|m pro sekunde"),
    (Unit::Pace(1000.0), "/ km|min / km|per km|per kilometre|per kilometer|a km|a kilometre|a kilometer|minutes per km|minutes per kilometre|minutes per kilometer|minutes a km|minutes a kilometre|minutes a kilometer|minutes for each kilometre|for each kilometre|for each km|for every kilometre|for every km|each kilometre|each km|every kilometre|every km|min pro kilometer|minuten je kilometer|minuten pro km|minutes au kilomètre|minutes au km|minutes par km|minutes par kilomètre|min per km|a kilometre|pro km|pro kilometer|je km|je kilometer|der kilometer|min pro km|minuten pro kilometer|au km|au kilomètre|par km|par kilomètre|min au km|por km|por kilómetro|el kilómetro|al km|al chilometro|min al km|minuti al km|/ k|le kilomètre|le km|el km|al kilómetro|por cada kilómetro|a chilometro|per chilometro|il chilometro|ogni chilometro|pro kilometern|auf den kilometer|auf 1 km|minuti a km|minutos el kilómetro|minutos por kilómetro|min por km|par kilo|minutos por km|minuti per chilometro|per k|au kilo|a k|a kilo|le kilo"),
    (Unit::Pace(1.0), "/ m|min / m|per m|per metre|per meter|a metre|a meter|pro m|pro meter|par mètre|au mètre|por metro|al metro|el metro|min per metre|min pro meter"),
    (Unit::Pace(MILE_M), "/ mi|/ mile|min / mi|min / mile|per mile|a mile|minutes per mile|min per mile|pro meile|por milla|al miglio|à la mile|par mile|die meile|a la milla|por mile|per miglio|pro mile"),
    (Unit::Pace(100.0), "/ 100 m|/ 100m|per 100 m|per 100m|min / 100 m|per hundred|per hundred metres|per hundred meters|pro 100 m|auf 100 m|aux 100 m|por 100 m|ogni 100 m|a hundred|los 100 m|cada 100 m|pro hundert|per 100|los cien metros|les 100 m|les 100 mètres|auf 100 meter|pro 100 meter|cada 100 metros|ogni 100 metri|aux 100 mètres"),
    (Unit::PerKm, "s / km|sec / km|secs / km|seconds per km|seconds a km|seconds per kilometre|seconds per kilometer|seconds a kilometre|seconds a kilometer|sekunden pro km|sekunden pro kilometer|secondes au km|segundos por km|secondi al km|seconds a k|s a k|sec a k|secs a k|seconds per k|s per km|sec per km|sekunden je kilometer|sekunden je km|sekunden auf den kilometer|secondes au kilomètre|secondes par kilomètre|secondes par km|segundos el kilómetro|segundos por kilómetro|secondi al chilometro|secondes au kilo|seconds each kilometre|seconds each km|s pro km|s au km"),
    (Unit::Of(Duration, 3600.0), "h|hr|hrs|hour|hours|std|stunde|stunden|heure|heures|hora|horas|ora|ore"),
    (Unit::Of(Duration, 60.0), "min|mins|minute|minutes|minuten|minuto|minutos|minuti|minütchen|minuts"),
    (Unit::Of(Duration, 1.0), "s|sec|secs|second|seconds|sek|sekunde|sekunden|seconde|secondes|segundo|segundos|secondo|secondi"),
    (Unit::Of(Measure::Misfit, 1.0), "times a second|a second|per second|pro sekunde|par seconde|por segundo|al secondo|times an hour|beats per second|beats a second|beats per hour|beats an hour|bpm per hour|steps per second|steps per hour|steps an hour|revolutions per second|revolutions per hour|revolutions an hour|schläge pro sekunde|schläge pro stunde|schläge in der stunde|schläge in der sekunde|schritte pro sekunde|schritte pro stunde|umdrehungen pro sekunde|umdrehungen pro stunde|battements par seconde|battements par heure|battements à l heure|pulsations par seconde|pulsations par heure|pulsations à l heure|pas par seconde|pas par heure|pas à l heure|tours par seconde|tours par heure|tours à l heure|pulsaciones por segundo|pulsaciones por hora|latidos por segundo|latidos por hora|pasos por segundo|pasos por hora|pedaladas por segundo|pedaladas por hora|battiti al secondo|battiti all ora|passi al secondo|passi all ora|pedalate al secondo|pedalate all ora|giri al secondo|giri all ora|volt|volts|voltios|ampere|amps|hp|horsepower|hertz|hz|newton|newtons|joule|joules|bph"),
    (Unit::Of(Measure::Bare, 1.0), "times a minute|times per minute|mal pro minute|mal in der minute|fois par minute|veces por minuto|volte al minuto|a minute|per minute|pro minute|die minute|par minute|à la minute|por minuto|al minuto"),
    (Unit::Of(ClimbRate, 1.0), "m / h|metres per hour|meters per hour|hm / h|metres an hour|meters an hour|vertical metres per hour"),
    (Unit::Of(Measure::Stops, 1.0), "stops|stop|breaks|pauses|stopps|pausen|arrêts|soste|paradas"),
    (Unit::Of(Percent, 1.0), "%|percent|per cent|prozent|pour cent|por ciento|per cento"),
    (Unit::Of(Foreign, 1.0), "g|grams|gram|gramm|grammes|gramos|grammi|mg|ml|cl|dl|l|litre|litres|liter|liters|oz|cups|cup|sips|sip|gels|gel|bars|bar|bottles|bottle|tablets|tablet|salt|kcal|cal|calories|kj|°|° c|° f|degrees|grad|w / kg|watts per kilo|kg|g / h|g per hour|g an hour|grams per hour|grams an hour|carbs|bananas|banana|chews|schlucke|gele|riegel|gorgées|tragos|sorsi|squats|deep breaths|breaths|strides|bites|pieces"),
];

pub(crate) static UNIT_PHRASES: LazyLock<Phrases<Unit>> =
    LazyLock::new(|| Phrases::new(UNITS.iter().copied()));

/// Durations in words, in seconds, and how exactly they are meant.
#[rustfmt::skip]
const SPANS: &[((f64, f64), &str)] = &[
    ((5400.0, 600.0), "an hour and a half|one and a half hours|one hour and a half|hour and a half|anderthalb stunden|eineinhalb stunden|une heure et demie|hora y media|un ora e mezza|una hora y media|un ora e mezzo|heure et demie"),
    ((2700.0, 300.0), "three quarters of an hour|dreiviertelstunde|trois quarts d heure"),
    ((1800.0, 300.0), "half an hour|half hour|halben stunde|halbe stunde|demi heure|media hora|mezz ora|mezzora|une demi heure|una mezz ora|eine halbe stunde|einer halben stunde"),
    ((900.0, 150.0), "quarter of an hour|a quarter of an hour|a quarter hour|quarter hour|viertelstunde|quart d heure|cuarto de hora|quarto d ora|un quart d heure|un cuarto de hora|un quarto d ora|einer viertelstunde|eine viertelstunde"),
    ((90.0, 15.0), "a minute and a half|minute and a half|one and a half minutes|anderthalb minuten|une minute et demie|minuto y medio|minuto e mezzo|eineinhalb minuten|minute et demie|un minuto y medio|un minuto e mezzo|one minute and a half"),
    ((30.0, 5.0), "half a minute|halben minute|halbe minute|eine halbe minute|einer halben minute|une demi minute|medio minuto|mezzo minuto|half minute"),
    ((3600.0, 60.0), "an hour|einer stunde|eine stunde|une heure|una hora|un ora"),
    ((60.0, 10.0), "a minute|einer minute|eine minute|une minute|un minuto"),
];

/// Shares of the way in words, in per cent.
#[rustfmt::skip]
const SHARES: &[(f64, &str)] = &[
    (20.0, "a fifth|one fifth|ein fünftel"), (25.0, "a quarter of|one quarter of|a quarter done|ein viertel"),
    (100.0 / 3.0, "a third of|one third|a third done|ein drittel|un tiers"), (40.0, "two fifths|zwei fünftel"),
    (60.0, "three fifths|drei fünftel"), (200.0 / 3.0, "two thirds|zwei drittel|deux tiers|dos tercios|due terzi"),
    (75.0, "three quarters|drei viertel|trois quarts|tres cuartos|tre quarti"), (80.0, "four fifths|vier fünftel"),
];

pub(crate) static SHARE_PHRASES: LazyLock<Phrases<f64>> =
    LazyLock::new(|| Phrases::new(SHARES.iter().copied()));

pub(crate) static SPAN_PHRASES: LazyLock<Phrases<(f64, f64)>> =
    LazyLock::new(|| Phrases::new(SPANS.iter().copied()));

#[rustfmt::skip]
pub(crate) const NUMBER_WORDS: &[(f64, &str)] = &[
    (0.0, "zero|null"), (1.0, "one|ein|eins|eine|einen|un|une|uno|una"), (2.0, "two|zwei|deux|dos|due|couple of"),
    (3.0, "three|drei|trois|tres|tre"), (4.0, "four|vier|quatre|cuatro|quattro"), (5.0, "five|fünf|cinq|cinco|cinque"),
    (6.0, "six|sechs|seis|sei"), (7.0, "seven|sieben|sept|siete|sette"), (8.0, "eight|acht|huit|ocho|otto"),
    (9.0, "nine|neun|neuf|nueve|nove"), (10.0, "ten|zehn|dix|diez|dieci"), (11.0, "eleven|elf|onze|once|undici"),
    (12.0, "twelve|zwölf|douze|doce|dodici"), (13.0, "thirteen|dreizehn|treize|trece|tredici"), (14.0, "fourteen|vierzehn|quatorze|catorce|quattordici"),
    (15.0, "fifteen|fünfzehn|quinze|quince|quindici"), (16.0, "sixteen|sechzehn|seize|dieciséis|sedici"), (17.0, "seventeen|siebzehn|dix sept|diecisiete|diciassette"), (18.0, "eighteen|achtzehn|dix huit|dieciocho|diciotto"),
    (19.0, "nineteen|neunzehn|dix neuf|diecinueve|diciannove"), (20.0, "twenty|zwanzig|vingt|veinte|venti"), (30.0, "thirty|dreißig|trente|treinta|trenta"),
    (40.0, "forty|vierzig|quarante|cuarenta|quaranta"), (50.0, "fifty|fünfzig|cinquante|cincuenta|cinquanta"), (60.0, "sixty|sechzig|soixante|sesenta|sessanta"),
    (70.0, "seventy|siebzig|soixante dix|setenta|settanta"), (80.0, "eighty|achtzig|quatre vingt|quatre vingts|ochenta|ottanta"), (90.0, "ninety|neunzig|quatre vingt dix|noventa|novanta"),
];

#[rustfmt::skip]
const ORDINAL_WORDS: &[(f64, &str)] = &[
    (3.0, "third|dritte|dritten|dritter|troisième|tercer|tercero|terzo"), (4.0, "fourth|vierte|vierten|vierter|quatrième|cuarto|quarto"),
    (5.0, "fifth|fünfte|fünften|fünfter|cinquième|quinto"), (6.0, "sixth|sechste|sechsten|sechster|sixième|sexto|sesto"),
    (7.0, "seventh|siebte|siebten|siebter|septième|séptimo|settimo"), (8.0, "eighth|achte|achten|achter|huitième|octavo|ottavo"),
    (9.0, "ninth|neunte|neunten|neunter|neuvième|noveno|nono"), (10.0, "tenth|zehnte|zehnten|zehnter|dixième|décimo|decimo"),
    (11.0, "eleventh|elfte|elften|onzième|undécimo|undicesimo"), (12.0, "twelfth|zwölfte|zwölften|douzième|duodécimo|dodicesimo"), (13.0, "thirteenth"), (14.0, "fourteenth"),
    (15.0, "fifteenth|fünfzehnten|quinzième|quindicesimo"), (16.0, "sixteenth"), (17.0, "seventeenth"), (18.0, "eighteenth"), (19.0, "nineteenth"),
    (20.0, "twentieth|zwanzigsten|vingtième|vigésimo|ventesimo"),
];

pub(crate) static ORDINALS: LazyLock<Phrases<f64>> =
    LazyLock::new(|| Phrases::new(ORDINAL_WORDS.iter().copied()));

pub(crate) static NUMBERS: LazyLock<Phrases<f64>> =
    LazyLock::new(|| Phrases::new(NUMBER_WORDS.iter().copied()));
