//! The text that Claude reads when it words a message. Pure.

use super::rules::SaidAdvice;
use super::wording;

/// The name of the MCP server in Claude's configuration.
pub(super) const SERVER: &str = "history";

/// The tool with which Claude hands its words back.
pub const SEND_WORDS: &str = "send_words";

/// The prompt for a message; `own` is that message in the rules' own words.
///
/// It holds figures and the rules' own sentences, and no text that other people or Garmin wrote.
pub(super) fn prompt(advice: &SaidAdvice, own: &str, tools: &[&str]) -> String {
    let figures: Vec<String> = advice.figures().filter_map(wording::figure_line).collect();
    let tools: Vec<String> = tools
        .iter()
        .map(|tool| format!("mcp__{SERVER}__{tool}"))
        .collect();
    format!(
        "You are the coach of an amateur athlete and write one short message to their phone. Rules applied to their own \
         recorded days have decided that there is something to say, and what:\n\n{own}\n\nThe figures:\n{}\n\nToday is {}.\n\
         Rewrite the message: at most three sentences and 350 characters, calm, concrete, in English, without greeting, \
         headings, lists or emojis. Each number is checked: use only the figures above, with their metric in the same \
         clause, or a value of one of the last ten days, with its day in the same sentence. No percentages, no differences, \
         no other figures. No diagnosis. You may read more with {}; usually that is not needed.\n\
         Hand the message over with mcp__{SERVER}__{SEND_WORDS}, or answer with the message alone.\n",
        figures.join("\n"),
        advice.day,
        tools.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::figure::CoachFigure;
    use crate::advice::rules::AdvicePart;

    #[test]
    fn a_prompt_has_the_sentence_and_the_figures() {
        let day = jiff::civil::date(2026, 5, 6);
        let figure = CoachFigure {
            metric: "hrv".to_owned(),
            from: day,
            to: day,
            days: 1,
            value: 61.0,
            usual: Some((52.0, 71.0)),
        };
        let advice = SaidAdvice {
            day,
            parts: vec![(AdvicePart::Night, vec![figure])],
        };
        let prompt = prompt(&advice, "Last night: HRV 61 ms.", &["get_trend"]);
        assert!(
            prompt.contains("- HRV, 6 May: 61 ms, within your usual 52 to 71 ms"),
            "{prompt}"
        );
        assert!(prompt.contains("mcp__history__get_trend"));
    }
}
