//! Splits a message into sentences, clauses and items: quantities, places, names and tags.

mod neighbours;
mod places;

use super::facts::RaceFacts;
use super::lexicon::{self, ScopeWord, Tag};
use super::names;
use super::quantity::{self, Before, Measure, Quantity};
use super::terms::{Mood, Sense, When};
use super::token::one_of;
use super::token::{NumberShape, Token, TokenKind, tokens};
use neighbours::{before_number, follows_subject, is_past, is_past_perfect, leaves_at};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum ItemKind {
    Quantity(Quantity),
    /// `km 7`, `the 7th kilometre`, `the 20 km mark`: metres from the start of the race or leg.
    Mark(f64),
    /// `km 6-10`: where it begins and ends, in metres.
    Stretch(f64, f64),
    /// A capitalized word without any other meaning.
    Capital,
    Word,
    Unreadable,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct MessageItem {
    pub(super) kind: ItemKind,
    pub(super) tags: Vec<Tag>,
    /// In lower case.
    pub(super) words: String,
    /// Byte range in the message.
    pub(super) from: usize,
    pub(super) to: usize,
}

impl MessageItem {
    pub(super) fn has(&self, tag: Tag) -> bool {
        self.tags.contains(&tag)
    }

    pub(super) fn is(&self, kind: impl Fn(&Tag) -> bool) -> bool {
        self.tags.iter().any(kind)
    }

    /// Whether this is a word of more than three letters that no table knows.
    pub(super) fn is_unknown(&self) -> bool {
        self.kind == ItemKind::Word && self.tags.is_empty() && self.words.chars().count() > 3
    }

    pub(super) fn quantity(&self) -> Option<&Quantity> {
        match &self.kind {
            ItemKind::Quantity(quantity) => Some(quantity),
            _ => None,
        }
    }
}

pub(super) fn has_tag(items: &[MessageItem], tag: Tag) -> bool {
    items.iter().any(|item| item.has(tag))
}

/// Whether any quantity has one of these measures.
pub(super) fn measures(items: &[MessageItem], kinds: &[Measure]) -> bool {
    let mut quantities = items.iter().filter_map(MessageItem::quantity);
    quantities.any(|quantity| kinds.iter().any(|kind| quantity.measures(*kind).is_some()))
}

pub(super) fn has_numbers(items: &[MessageItem]) -> bool {
    items.iter().any(|item| item.quantity().is_some())
}

/// The items between two commas or conjunctions.
pub(super) type Clause = Vec<MessageItem>;

const CONJUNCTIONS: &str = "and|but|though|although|so|because|und|aber|et|mais|y|pero|e|ma|yet";

/// These begin a new clause only if the words before state something: a tense or a trend.
const CONTRASTS: &str = "while|whereas|während|mentre|mientras|tandis";

/// The words of a message, in lower case.
pub(super) fn tokens_of(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let words = tokens.iter().filter_map(Token::word);
    words.map(str::to_owned).collect()
}

/// The sentences of a message.
pub(super) fn sentences(text: &str, facts: &RaceFacts) -> Vec<Vec<Clause>> {
    let tokens = tokens(text);
    let mut sentences = vec![vec![Clause::new()]];
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let rest = tokens.get(at..).unwrap_or_default();
        if let Some(length) = margin_of_error(rest) {
            at += length;
            continue;
        }
        let is_end = matches!(token.kind, TokenKind::Mark('.' | '!' | '?' | ';'));
        let is_break = matches!(
            token.kind,
            TokenKind::Mark(',' | ':' | ')' | '-' | '|' | '·' | '•')
        ) || (token.is_mark('(') && compares(rest));
        let is_break = is_break && !is_sign(&tokens, at);
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
                .is_some_and(|item| item.is(|tag| matches!(tag, Tag::Reference(_) | Tag::Progress(_))));
        if labels {
            at += 1;
            continue;
        }
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        let (kind, tags, length) = item(rest, before, facts);
        let has_if = sentences
            .last()
            .and_then(|sentence| sentence.last())
            .is_some_and(|clause| has_tag(clause, Tag::Mood(Mood::If)));
        let clause = sentences.last().and_then(|sentence| sentence.last());
        let states = clause.is_some_and(|clause| {
            clause
                .iter()
                .any(|item| item.is(|tag| matches!(tag, Tag::When(_) | Tag::Trend(_))))
        });
        // "between km 4 and km 7"
        let is_span = clause.is_some_and(|clause| {
            let [.., first, mark] = clause.as_slice() else {
                return false;
            };
            let is_mark = matches!(mark.kind, ItemKind::Mark(_));
            is_mark && one_of(&first.words, "between|zwischen|entre|tra|fra")
        });
        let joins = !is_span
            && (begins(rest, has_if)
                || token
                    .word()
                    .is_some_and(|word| one_of(word, CONJUNCTIONS) || (states && one_of(word, CONTRASTS)))
                    && length == 1);
        if (is_break || joins)
            && let Some(sentence) = sentences.last_mut()
        {
            sentence.push(Clause::new());
        }
        at += length;
        if is_break || matches!(token.kind, TokenKind::Mark(_)) && kind == ItemKind::Word && tags.is_empty() {
            continue;
        }
        let to = tokens.get(at - 1).map_or(token.to, |last| last.to);
        let words = text.get(token.from..to).unwrap_or_default().to_lowercase();
        let item = MessageItem {
            kind,
            tags,
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

/// `± 2 min`, `give or take two minutes`: the length of a margin of error in tokens.
fn margin_of_error(tokens: &[Token]) -> Option<usize> {
    let word = |at: usize| tokens.get(at).and_then(Token::word).unwrap_or_default();
    let sign = usize::from(tokens.first()?.is_mark('±'));
    let words = if matches!(
        [word(0), word(1), word(2)],
        ["give", "or", "take"] | ["plus", "or", "minus"]
    ) {
        3
    } else {
        0
    };
    let length = sign.max(words);
    let margin = quantity::quantity(tokens.get(length..)?, Before::Other).filter(|_| length > 0)?;
    Some(length + margin.1)
}

/// `HR -5`
fn is_sign(tokens: &[Token], at: usize) -> bool {
    let (Some(token), Some(next)) = (tokens.get(at), tokens.get(at + 1)) else {
        return false;
    };
    let before = at.checked_sub(1).and_then(|at| tokens.get(at));
    let apart = before.is_none_or(|before| before.to < token.from);
    token.is_mark('-') && apart && token.to == next.from && matches!(next.kind, TokenKind::Number(_))
}

/// `more than half an hour` is a bound and a time, and no half of the way.
fn without_time(tokens: &[Token], (tags, length): (Vec<Tag>, usize)) -> Option<(Vec<Tag>, usize)> {
    let last = length.checked_sub(1).filter(|last| *last > 0);
    let is_half = tags.contains(&Tag::Scope(ScopeWord::Half));
    let Some(last) = last.filter(|_| is_half) else {
        return Some((tags, length));
    };
    let span = tokens
        .get(last..)
        .and_then(|rest| quantity::quantity(rest, Before::Other));
    let is_time = span.is_some_and(|(span, taken)| taken > 1 && span.measures(Measure::Duration).is_some());
    if is_time {
        lexicon::tags(tokens.get(..last)?)
    } else {
        Some((tags, length))
    }
}

const PRONOUNS: &str = "you|she|he|they|it|we|sie|er|du";

/// Whether a subordinate clause begins: `before he changes`, `which took 5:50`, or the main clause after "if".
fn begins(tokens: &[Token], after_if: bool) -> bool {
    let word = |at: usize| tokens.get(at).and_then(Token::word).unwrap_or_default();
    let is_pronoun = |word: &str| one_of(word, PRONOUNS);
    match word(0) {
        "which" | "where" => true,
        "before" | "after" | "when" | "once" | "because" | "as" => {
            is_pronoun(word(1)) && !word(2).starts_with("close")
        }
        "if" | "wenn" | "falls" => is_pronoun(word(1)),
        pronoun => after_if && is_pronoun(pronoun) && one_of(word(1), "d|ll|would|will"),
    }
}

/// Whether a parenthesis compares, and so is a clause of its own: `(203 vs 214 W)`.
fn compares(tokens: &[Token]) -> bool {
    let inside = tokens.iter().take_while(|token| !token.is_mark(')'));
    inside.into_iter().any(|token| {
        token.is_mark(',')
            || token
                .word()
                .is_some_and(|word| one_of(word, "vs|versus|against|statt|contre"))
    })
}

/// The item at the start of `tokens`, its tags, and its length in tokens.
fn item(tokens: &[Token], before: Option<&Token>, facts: &RaceFacts) -> (ItemKind, Vec<Tag>, usize) {
    let Some(token) = tokens.first() else {
        return (ItemKind::Word, Vec::new(), 1);
    };
    if token.kind == TokenKind::Unreadable {
        return (ItemKind::Unreadable, Vec::new(), 1);
    }
    if let Some((index, length)) = places::checkpoint(tokens, facts) {
        return (ItemKind::Word, vec![Tag::Place(index)], length);
    }
    if let TokenKind::Word(word, true) = &token.kind
        && facts.athlete.contains(word)
    {
        return (ItemKind::Word, vec![Tag::Athlete], 1);
    }
    if let Some((kind, length)) = places::mark(tokens) {
        return (kind, Vec::new(), length);
    }
    let tags = lexicon::tags(tokens).and_then(|found| without_time(tokens, found));
    if let Some((quantity, length)) = quantity::quantity(tokens, before_number(before))
        && tags.as_ref().is_none_or(|(_, tagged)| length >= *tagged)
    {
        let (kind, mut tags, length) = number(quantity, tokens, length, facts);
        let sign = before
            .filter(|before| before.to == token.from)
            .and_then(|before| match before.kind {
                TokenKind::Mark('+') => Some(Sense::Above),
                TokenKind::Mark('-') => Some(Sense::Below),
                _ => None,
            });
        tags.extend(sign.map(Tag::Sense));
        return (kind, tags, length);
    }
    let word = token.word().unwrap_or_default();
    if let Some((mut tags, length)) = tags {
        // "You left Velden", but "10 km left".
        if tags.contains(&Tag::Departed) {
            let rest = tokens.get(length..).unwrap_or_default();
            let is_place = places::checkpoint(rest, facts).is_some();
            tags.retain(|tag| is_place == matches!(tag, Tag::Departed | Tag::Reached | Tag::When(_)));
        }
        let last = tokens.get(length - 1).and_then(Token::word).unwrap_or_default();
        match last {
            "t1" => tags.push(Tag::Nth(1)),
            "t2" => tags.push(Tag::Nth(2)),
            "d" if is_past_perfect(tokens) => tags = vec![Tag::When(When::Past)],
            // "le signal d'Anna"
            "d" if !before
                .and_then(Token::word)
                .is_some_and(|word| one_of(word, PRONOUNS) || word == "i") =>
            {
                tags.clear();
            }
            // "You left the water"
            "left" if follows_subject(before, facts) || leaves_at(tokens) => {
                tags = vec![Tag::Departed, Tag::When(When::Past)];
            }
            _ if tags.contains(&Tag::Here) => tags.extend(facts.place_here().map(Tag::Place)),
            _ => {}
        }
        return (ItemKind::Word, tags, length);
    }
    let starts = before.is_none_or(|before| matches!(before.kind, TokenKind::Mark('.' | '!' | '?' | ';')));
    let is_name = match &token.kind {
        TokenKind::Word(word, true) => {
            names::is_first_name(word)
                || (!starts && !facts.words.contains(word))
                || (starts && names::acts(tokens))
        }
        _ => false,
    };
    let kind = if is_name {
        ItemKind::Capital
    } else {
        ItemKind::Word
    };
    let tags = if is_past(word) && !is_name {
        vec![Tag::When(When::Past)]
    } else {
        Vec::new()
    };
    (kind, tags, 1)
}

/// The item that a quantity forms together with the words after it.
fn number(
    quantity: Quantity,
    tokens: &[Token],
    length: usize,
    facts: &RaceFacts,
) -> (ItemKind, Vec<Tag>, usize) {
    let rest = tokens.get(length..).unwrap_or_default();
    if let Some((mark, more)) = places::after_quantity(&quantity, rest) {
        return (ItemKind::Mark(mark), Vec::new(), length + more);
    }
    let is_name = tokens
        .first()
        .and_then(token_number)
        .is_some_and(|parts| parts.iter().all(|part| facts.words.contains(part)));
    let next = rest.first().and_then(Token::word).unwrap_or_default();
    let counts = one_of(next, "splits|laps|legs|limits");
    if quantity.is_bare() && (is_name || counts) {
        return (ItemKind::Word, Vec::new(), length);
    }
    (ItemKind::Quantity(quantity), Vec::new(), length)
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
