//! What a request to Garmin's API and token service calls itself: the phone app that the tokens belong to.

/// The headers that every such request carries besides `Authorization` and `Accept`.
pub(in crate::garmin) fn native() -> impl Iterator<Item = (&'static str, String)> {
    [
        ("user-agent", "GCM-Android-5.23"),
        (
            "x-garmin-user-agent",
            "com.garmin.android.apps.connectmobile/5.23; ; Google/sdk_gphone64_arm64/google; Android/33; Dalvik/2.1.0",
        ),
        ("x-garmin-paired-app-version", "10861"),
        ("x-app-ver", "10861"),
        ("x-garmin-client-platform", "Android"),
        ("x-lang", "en"),
        ("x-gcexperience", "GC5"),
        ("accept-language", "en-US,en;q=0.9"),
    ]
    .into_iter()
    .map(|(name, value)| (name, value.to_owned()))
}
