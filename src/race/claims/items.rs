//! Splits a message into sentences, clauses and items: quantities, places, names and tags.

use super::claim::Mood;
use super::facts::RaceFacts;
use super::lexicon::{self, ScopeWord, Tag};
use super::names;
use super::quantity::{self, Before, Measure, Quantity};
use super::token::{NumberShape, Token, TokenKind, tokens};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum ItemKind {
    Tags(Vec<Tag>),
    Quantity(Quantity),
    /// `km 7`, `the 7th kilometre`, `the 20 km mark`: metres from the start of the race or leg.
    Mark(f64),
    /// `km 6-10`: where it begins and ends, in metres.
    Stretch(f64, f64),
    /// Index of a checkpoint.
    Checkpoint(usize),
    /// The athlete's name.
    Athlete,
    /// A capitalized word without any other meaning.
    Capital,
    Word,
    Unreadable,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct MessageItem {
    pub(super) kind: ItemKind,
    /// In lower case.
    pub(super) words: String,
    /// Byte range in the message.
    pub(super) from: usize,
    pub(super) to: usize,
}

impl MessageItem {
    pub(super) fn tags(&self) -> &[Tag] {
        match &self.kind {
            ItemKind::Tags(tags) => tags,
            _ => &[],
        }
    }

    pub(super) fn has(&self, tag: Tag) -> bool {
        self.tags().contains(&tag)
    }

    pub(super) fn quantity(&self) -> Option<&Quantity> {
        match &self.kind {
            ItemKind::Quantity(quantity) => Some(quantity),
            _ => None,
        }
    }
}

/// The items between two commas or conjunctions.
pub(super) type Clause = Vec<MessageItem>;

const CONJUNCTIONS: [&str; 20] = [
    "and", "but", "while", "whereas", "though", "although", "so", "because", "und", "aber", "während", "et",
    "mais", "y", "pero", "e", "ma", "mentre", "mientras", "yet",
];

/// The sentences of a message.
pub(super) fn sentences(text: &str, facts: &RaceFacts) -> Vec<Vec<Clause>> {
    let tokens = tokens(text);
    let mut sentences = vec![vec![Clause::new()]];
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let rest = tokens.get(at..).unwrap_or_default();
        if token.is_mark('±') {
            // A margin of error.
            let margin = quantity::quantity(tokens.get(at + 1..).unwrap_or_default(), Before::Other);
            at += 1 + margin.map_or(0, |(_, length)| length);
            continue;
        }
        let is_end = matches!(token.kind, TokenKind::Mark('.' | '!' | '?' | ';'));
        let is_break = matches!(
            token.kind,
            TokenKind::Mark(',' | ':' | ')' | '-' | '|' | '·' | '•')
        ) || (token.is_mark('(') && compares(rest));
        if is_end {
            sentences.push(vec![Clause::new()]);
            at += 1;
            continue;
        }
        // "Limit: 165"
        let labels = token.is_mark(':')
            && sentences
                .last()
                .and_then(|sentence| sentence.last())
                .and_then(|clause| clause.last())
                .is_some_and(|item| {
                    item.tags()
                        .iter()
                        .any(|tag| matches!(tag, Tag::Reference(_) | Tag::Progress(_)))
                });
        if labels {
            at += 1;
            continue;
        }
        let (kind, length) = item(
            rest,
            at.checked_sub(1).and_then(|before| tokens.get(before)),
            facts,
        );
        let has_if = sentences
            .last()
            .and_then(|sentence| sentence.last())
            .is_some_and(|clause| clause.iter().any(|item| item.has(Tag::Mood(Mood::If))));
        let joins = begins(rest, has_if)
            || token.word().is_some_and(|word| CONJUNCTIONS.contains(&word)) && length == 1;
        if (is_break || joins)
            && let Some(sentence) = sentences.last_mut()
        {
            sentence.push(Clause::new());
        }
        at += length;
        if is_break || matches!(token.kind, TokenKind::Mark(_)) && kind == ItemKind::Word {
            continue;
        }
        let to = tokens.get(at - 1).map_or(token.to, |last| last.to);
        let words = text.get(token.from..to).unwrap_or_default().to_lowercase();
        let item = MessageItem {
            kind,
            words,
            from: token.from,
            to,
        };
        if let Some(clause) = sentences.last_mut().and_then(|sentence| sentence.last_mut()) {
            clause.push(item);
        }
    }
    sentences
}

const PRONOUNS: [&str; 9] = ["you", "she", "he", "they", "it", "we", "sie", "er", "du"];

/// Whether a subordinate clause begins: `before he changes`, `which took 5:50`, or the main clause after "if".
fn begins(tokens: &[Token], after_if: bool) -> bool {
    let word = |at: usize| tokens.get(at).and_then(Token::word).unwrap_or_default();
    let is_pronoun = |word: &str| PRONOUNS.contains(&word);
    match word(0) {
        "which" | "where" => true,
        "before" | "after" | "when" | "once" | "because" | "as" => {
            is_pronoun(word(1)) && !word(2).starts_with("close")
        }
        pronoun => after_if && is_pronoun(pronoun) && matches!(word(1), "d" | "ll" | "would" | "will"),
    }
}

/// Whether a parenthesis compares, and so is a clause of its own: `(203 vs 214 W)`.
fn compares(tokens: &[Token]) -> bool {
    let inside = tokens.iter().take_while(|token| !token.is_mark(')'));
    inside.into_iter().any(|token| {
        token.is_mark(',')
            || token
                .word()
                .is_some_and(|word| matches!(word, "vs" | "versus" | "against" | "statt" | "contre"))
    })
}

/// The item at the start of `tokens`, and its length in tokens.
fn item(tokens: &[Token], before: Option<&Token>, facts: &RaceFacts) -> (ItemKind, usize) {
    let Some(token) = tokens.first() else {
        return (ItemKind::Word, 1);
    };
    if token.kind == TokenKind::Unreadable {
        return (ItemKind::Unreadable, 1);
    }
    if let Some((index, length)) = checkpoint(tokens, facts) {
        return (ItemKind::Checkpoint(index), length);
    }
    let is_sentence_start =
        before.is_none_or(|before| matches!(before.kind, TokenKind::Mark('.' | '!' | '?' | ';')));
    let word = token.word();
    if let TokenKind::Word(word, true) = &token.kind
        && facts.athlete.contains(word)
    {
        return (ItemKind::Athlete, 1);
    }
    if let Some(found) = mark(tokens) {
        return found;
    }
    let tags = lexicon::tags(tokens);
    if let Some((quantity, length)) = quantity::quantity(tokens, before_number(before))
        && tags.as_ref().is_none_or(|(_, tagged)| length >= *tagged)
    {
        let rest = tokens.get(length..).unwrap_or_default();
        if let Some((mark, more)) = after_quantity(&quantity, rest) {
            return (ItemKind::Mark(mark), length + more);
        }
        let is_name =
            token_number(token).is_some_and(|parts| parts.iter().all(|part| facts.words.contains(part)));
        let counts = tokens
            .get(length)
            .and_then(Token::word)
            .is_some_and(|next| matches!(next, "splits" | "laps"));
        if quantity.is_bare() && (is_name || counts) {
            return (ItemKind::Word, length);
        }
        return (ItemKind::Quantity(quantity), length);
    }
    if let Some((mut tags, length)) = tags {
        // "You left Velden", but "10 km left".
        if tags.contains(&Tag::Departed) {
            let is_place = tokens
                .get(length..)
                .is_some_and(|rest| checkpoint(rest, facts).is_some());
            tags.retain(|tag| is_place == matches!(tag, Tag::Departed | Tag::Reached));
        }
        return (ItemKind::Tags(tags), length);
    }
    match &token.kind {
        TokenKind::Word(word, true) if names::is_first_name(word) => (ItemKind::Capital, 1),
        TokenKind::Word(word, true) if !is_sentence_start && !facts.words.contains(word) => {
            (ItemKind::Capital, 1)
        }
        TokenKind::Word(..) if is_sentence_start && word.is_some() && names::acts(tokens) => {
            (ItemKind::Capital, 1)
        }
        _ => (ItemKind::Word, 1),
    }
}

fn before_number(before: Option<&Token>) -> Before {
    let Some(before) = before else {
        return Before::Other;
    };
    let between = before
        .word()
        .is_some_and(|word| matches!(word, "between" | "zwischen" | "entre" | "tra" | "fra"));
    let scopes = lexicon::tags(std::slice::from_ref(before));
    let is_scope = scopes.is_some_and(|(tags, _)| {
        tags.iter().any(|tag| {
            matches!(
                tag,
                Tag::Scope(ScopeWord::First | ScopeWord::Last | ScopeWord::Next)
            )
        })
    });
    let from = before.word().is_some_and(|word| matches!(word, "von" | "from"));
    match (between, is_scope) {
        _ if from => Before::From,
        (true, _) => Before::Between,
        (_, true) => Before::ScopeWord,
        _ => Before::Other,
    }
}

/// The digits of a number, as they occur in names of races: 70.3 is 70 and 3.
fn token_number(token: &Token) -> Option<Vec<String>> {
    let TokenKind::Number(number) = &token.kind else {
        return None;
    };
    match number.shape {
        NumberShape::Plain(value, _) => Some(value.to_string().split('.').map(str::to_owned).collect()),
        _ => None,
    }
}

/// The checkpoint whose name `tokens` begin with, or with its last or first significant word.
fn checkpoint(tokens: &[Token], facts: &RaceFacts) -> Option<(usize, usize)> {
    let matches = |words: &[String]| {
        let all = words
            .iter()
            .zip(tokens)
            .all(|(word, token)| token.word() == Some(word));
        (words.len() <= tokens.len() && all && !words.is_empty()).then_some(words.len())
    };
    let names = facts.places.iter().enumerate();
    let whole = names
        .clone()
        .filter_map(|(index, place)| Some((index, matches(&place.words)?)));
    if let Some(found) = whole.max_by_key(|(_, length)| *length) {
        return Some(found);
    }
    let TokenKind::Word(word, true) = &tokens.first()?.kind else {
        return None;
    };
    let is_own = |place: &[String]| word.chars().count() >= 4 && place.contains(word);
    let mut places = names.filter(|(_, place)| is_own(&place.words));
    let (index, _) = places.next()?;
    places.next().is_none().then_some((index, 1))
}

const MARK_NOUNS: [&str; 10] = [
    "km",
    "kilometre",
    "kilometer",
    "mile",
    "kilomètre",
    "kilómetro",
    "chilometro",
    "mark",
    "meile",
    "milla",
];

fn metres_of(noun: &str) -> f64 {
    if matches!(noun, "mile" | "meile" | "milla") {
        1609.344
    } else {
        1000.0
    }
}

/// `km 7`, `kilometre 10`.
fn mark(tokens: &[Token]) -> Option<(ItemKind, usize)> {
    let noun = tokens.first()?.word().filter(|word| MARK_NOUNS.contains(word))?;
    let number = usize::from(
        tokens
            .get(1)
            .and_then(Token::word)
            .is_some_and(|word| matches!(word, "number" | "no")),
    );
    let (quantity, length) = quantity::quantity(tokens.get(1 + number..)?, Before::ScopeWord)?;
    let reading = quantity.measures(Measure::Bare)?;
    if let Some(to) = quantity.to.first() {
        // The splits from km 6 to km 10 begin at km 5.
        let from_m = (reading.value - 1.0).max(0.0) * metres_of(noun);
        return Some((
            ItemKind::Stretch(from_m, to.value * metres_of(noun)),
            1 + number + length,
        ));
    }
    Some((
        ItemKind::Mark(reading.value * metres_of(noun)),
        1 + number + length,
    ))
}

/// `the 7th kilometre`, `the 20 km mark`: metres, and the tokens after the quantity.
fn after_quantity(quantity: &Quantity, rest: &[Token]) -> Option<(f64, usize)> {
    let next = rest.first()?.word()?;
    if quantity.ordinal && MARK_NOUNS.contains(&next) {
        return Some((quantity.whole()? * metres_of(next), 1));
    }
    let metres = quantity
        .measures(Measure::Distance)
        .filter(|_| quantity.to.is_empty())?;
    matches!(
        next,
        "mark" | "marker" | "sign" | "point" | "table" | "banner" | "board" | "marke" | "post" | "split"
    )
    .then_some((metres.value, 1))
}
