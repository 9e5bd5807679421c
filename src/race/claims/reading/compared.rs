//! Comparatives after a number: `eleven more than before`, `two minutes better than planned`.

use crate::race::claims::items::MessageItem;
use crate::race::claims::lexicon::Tag;
use crate::race::claims::terms::Sense;

/// Comparatives with their conjunction, which without a number before them bound the number after them: `more than 5 km`.
const COMPARATIVES: &[(Sense, &str)] = &[
    (
        Sense::Above,
        "more than|mehr als|plus que|plus qu|de plus que|de plus qu|más que|in più di|in più che|in più rispetto a",
    ),
    (
        Sense::Below,
        "less than|fewer than|weniger als|moins que|de moins que|de moins qu|menos que|in meno di|in meno che",
    ),
    (
        Sense::Faster,
        "better than|besser als|mieux que|de mieux que|mejor que|meglio di|meglio che",
    ),
    (
        Sense::Slower,
        "worse than|schlechter als|pire que|moins bien que|peor que|peggio di|peggio che",
    ),
];

fn sense_of(words: &str) -> Option<Sense> {
    let row = COMPARATIVES
        .iter()
        .find(|(_, phrases)| phrases.split('|').any(|phrase| phrase == words))?;
    Some(row.0)
}

/// Splits `more than` after a number into the comparative and its conjunction, which begins the other side.
pub(super) fn split_than(clause: &mut Vec<MessageItem>) {
    let is_number = |item: Option<&MessageItem>| item.is_some_and(|item| item.quantity().is_some());
    let found = (1..clause.len()).find_map(|at| {
        let item = clause.get(at)?;
        let sense = sense_of(&item.words)?;
        (is_number(clause.get(at - 1)) && !is_number(clause.get(at + 1))).then_some((at, sense))
    });
    let Some((at, sense)) = found else { return };
    let Some(item) = clause.get_mut(at) else { return };
    let than = MessageItem {
        tags: vec![Tag::Than],
        words: "than".to_owned(),
        ..item.clone()
    };
    item.tags = vec![Tag::Sense(sense)];
    let comparative = match sense {
        Sense::Above => "more",
        Sense::Below => "less",
        Sense::Faster => "faster",
        _ => "slower",
    };
    comparative.clone_into(&mut item.words);
    clause.insert(at + 1, than);
}
