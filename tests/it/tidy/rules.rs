//! The rules, each a plain function from the sources to its violations.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::Finding;
use super::source::{Segments, Source};

/// Crates and paths that only some files may use. `*` matches the rest of a name; a file is a path below `src/`,
/// without `.rs`.
const FENCES: [(&str, &[&str]); 11] = [
    ("warp", &["web"]),
    ("sled", &["store"]),
    ("rusqlite", &["import"]),
    ("orion", &["base/secrets"]),
    ("ratatui", &["console"]),
    ("crossterm", &["console"]),
    ("clap", &["cli", "main"]),
    ("rumqttc", &["notify/mqtt"]),
    ("std::process::Command", &["sandbox"]),
    ("tokio::process", &["sandbox"]),
    ("std::env::var*", &["config"]),
];

pub(super) fn all(map: &str, sources: &[Source]) -> BTreeSet<Finding> {
    [
        floors(map, sources),
        fences(sources),
        circles(sources),
        doubled(sources),
    ]
    .concat()
    .into_iter()
    .collect()
}

fn finding(rule: &str, subject: &str, files: impl IntoIterator<Item = String>) -> Finding {
    Finding {
        rule: rule.to_owned(),
        subject: subject.to_owned(),
        files: files.into_iter().collect(),
    }
}

/// One finding for each subject, with all its files.
fn by_subject<'a>(rule: &str, pairs: impl IntoIterator<Item = (&'a str, &'a Source)>) -> Vec<Finding> {
    let mut subjects: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (subject, source) in pairs {
        subjects.entry(subject).or_default().insert(source.file.clone());
    }
    subjects
        .into_iter()
        .map(|(subject, files)| finding(rule, subject, files))
        .collect()
}

/// Reads the floor of each module from rows of the form ``//! | 1 | [`store`]: records; [`mcp`]: the protocol |``.
fn read_floors(map: &str) -> BTreeMap<&str, u32> {
    let mut floors = BTreeMap::new();
    for line in map.lines() {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let (Some(Ok(floor)), Some(rooms)) = (cells.next().map(str::parse), cells.next()) else {
            continue;
        };
        let rooms = rooms.split("[`").skip(1).filter_map(|rest| rest.split_once("`]"));
        floors.extend(rooms.map(|(room, _)| (room, floor)));
    }
    floors
}

/// A module imports only from floors below its own. `lib.rs` and `main.rs` belong to no module.
fn floors(map: &str, sources: &[Source]) -> Vec<Finding> {
    let floors = read_floors(map);
    let mut broken = Vec::new();
    for source in sources {
        let Some(room) = source.module.get(1) else {
            continue;
        };
        let Some(own) = floors.get(room.as_str()) else {
            broken.push((room.as_str(), source));
            continue;
        };
        for path in &source.paths {
            let [root, other, ..] = path.as_slice() else {
                continue;
            };
            if root == "crate"
                && other != room
                && floors.get(other.as_str()).is_some_and(|floor| floor >= own)
            {
                broken.push((other.as_str(), source));
            }
        }
    }
    by_subject("floor", broken)
}

fn fences(sources: &[Source]) -> Vec<Finding> {
    let mut broken = Vec::new();
    for source in sources {
        let place = source.file.trim_end_matches(".rs");
        for (fenced, allowed) in FENCES {
            let is_allowed = allowed.iter().any(|room| below(place, room, "/"));
            if !is_allowed && source.paths.iter().any(|path| is_fenced(path, fenced)) {
                broken.push((fenced, source));
            }
        }
    }
    by_subject("fence", broken)
}

fn is_fenced(path: &Segments, fenced: &str) -> bool {
    let path = path.join("::");
    match fenced.strip_suffix('*') {
        Some(start) => path.starts_with(start),
        None => below(&path, fenced, "::"),
    }
}

fn below(path: &str, place: &str, separator: &str) -> bool {
    path.strip_prefix(place)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(separator))
}

/// Groups of files that import each other through `use`. A path counts for the innermost file on it, which for a type
/// in `name.rs` is the parent.
fn circles(sources: &[Source]) -> Vec<Finding> {
    let files: BTreeMap<&[String], usize> = sources
        .iter()
        .enumerate()
        .filter(|(_, source)| source.module.len() > 1)
        .map(|(index, source)| (source.module.as_slice(), index))
        .collect();
    let file_of = |path: &Segments| {
        (2..=path.len())
            .rev()
            .find_map(|end| files.get(&path[..end]).copied())
    };
    let imports: Vec<BTreeSet<usize>> = sources
        .iter()
        .map(|source| source.imports.iter().filter_map(file_of).collect())
        .collect();
    let reached: Vec<BTreeSet<usize>> = (0..sources.len()).map(|start| reach(&imports, start)).collect();

    let mut circles = BTreeSet::new();
    for start in 0..sources.len() {
        let circle: BTreeSet<_> = reached[start]
            .iter()
            .copied()
            .filter(|other| reached[*other].contains(&start))
            .collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    circles
        .into_iter()
        .map(|circle| {
            finding(
                "circle",
                "",
                circle.into_iter().map(|file| sources[file].file.clone()),
            )
        })
        .collect()
}

fn reach(imports: &[BTreeSet<usize>], start: usize) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![start];
    while let Some(file) = waiting.pop() {
        waiting.extend(imports[file].iter().filter(|next| reached.insert(**next)));
    }
    reached
}

fn doubled(sources: &[Source]) -> Vec<Finding> {
    let pairs = sources
        .iter()
        .flat_map(|source| source.types.iter().map(move |name| (name.as_str(), source)));
    let mut names = by_subject("doubled", pairs);
    names.retain(|finding| finding.files.len() > 1);
    names
}
