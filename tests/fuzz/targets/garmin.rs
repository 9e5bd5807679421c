//! What Garmin answers, or somebody in its place, one answer after the other, parted by a line `---`. The first line of
//! each is `status content-type`; status 0 is no answer, 1 no connection.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let answers = text.split("\n---\n").map(|answer| {
        let (head, body) = answer.split_once('\n').unwrap_or((answer, ""));
        let (status, content_type) = head.split_once(' ').unwrap_or((head, ""));
        let status = status.parse().unwrap_or(200);
        (status, content_type.to_owned(), body.to_owned())
    });
    garmin_gateway::garmin::fuzzing::answers(answers.take(24).collect());
});
